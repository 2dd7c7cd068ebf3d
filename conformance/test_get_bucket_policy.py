from __future__ import annotations

from typing import Any

from conformance.policies import put_policy, statement
from conformance.raw import Raw
from conformance.unconfigured import check_none


def test_bucket_has_none(s3: Any, alice: Any, bucket: str) -> None:
    check_none(s3, alice, bucket, "get_bucket_policy", "NoSuchBucketPolicy")


def test_it_is_json_and_nothing_else(s3: Any, raw: Raw, bucket: str) -> None:
    text = put_policy(s3, bucket, statement(bucket, "s3:GetObject", Sid="é"))
    answer = raw.get(f"/{bucket}", {"policy": ""})
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    assert answer.body.decode() == text
