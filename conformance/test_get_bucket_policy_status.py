from __future__ import annotations

from typing import Any

from conformance.policies import open_up, put_policy, statement
from conformance.raw import Raw
from conformance.unconfigured import check_none


def test_bucket_has_none(s3: Any, alice: Any, bucket: str) -> None:
    check_none(s3, alice, bucket, "get_bucket_policy_status", "NoSuchBucketPolicy")


def test_whether_it_is_public(s3: Any, raw: Raw, bucket: str) -> None:
    put_policy(s3, bucket, statement(bucket, "s3:GetObject"))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": False}
    open_up(s3, bucket)
    put_policy(s3, bucket, statement(bucket, "s3:GetObject", Principal="*"))
    answer = raw.get(f"/{bucket}", {"policyStatus": ""})
    assert (answer.root.tag, answer.text("IsPublic")) == (
        "{http://s3.amazonaws.com/doc/2006-03-01/}PolicyStatus",
        "true",
    )
