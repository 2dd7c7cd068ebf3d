from __future__ import annotations

from typing import Any

from conformance.refusals import refused


def test_controls_are_gone(s3: Any, bucket: str) -> None:
    assert s3.delete_bucket_ownership_controls(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("OwnershipControlsNotFoundError", 404):
        s3.get_bucket_ownership_controls(Bucket=bucket)


def test_acls_count_then(s3: Any, bucket: str) -> None:
    # Without controls S3 does as it did before there were any: a public ACL meets the public access block.
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    with refused("AccessDenied", 403):
        s3.put_object(Bucket=bucket, Key="key", ACL="public-read")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.delete_bucket_ownership_controls(Bucket=bucket)
