from __future__ import annotations

from typing import Any

from conformance.refusals import refused
from conformance.unconfigured import check_delete

RULE = {"ID": "a", "Filter": {}, "Status": "Enabled", "Expiration": {"Days": 1}}


def test_bucket_without_one_is_well(s3: Any, alice: Any, bucket: str) -> None:
    check_delete(s3, alice, bucket, "delete_bucket_lifecycle")


def test_what_was_put_is_gone(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [RULE]})
    assert "Expiration" in s3.put_object(Bucket=bucket, Key="k")
    check_delete(s3, alice, bucket, "delete_bucket_lifecycle")
    with refused("NoSuchLifecycleConfiguration", 404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="k")
