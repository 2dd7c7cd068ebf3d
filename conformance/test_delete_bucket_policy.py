from __future__ import annotations

from typing import Any

from conformance.policies import put_policy, statement
from conformance.refusals import refused
from conformance.unconfigured import check_delete


def test_bucket_without_one_is_well(s3: Any, alice: Any, bucket: str) -> None:
    check_delete(s3, alice, bucket, "delete_bucket_policy")


def test_nothing_remains_of_it(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    put_policy(s3, bucket, statement(bucket, "s3:GetObject"))
    alice.get_object(Bucket=bucket, Key="key")
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("AccessDenied", 403):
        alice.get_object(Bucket=bucket, Key="key")
    with refused("NoSuchBucketPolicy", 404):
        s3.get_bucket_policy(Bucket=bucket)
