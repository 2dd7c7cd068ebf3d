from __future__ import annotations

from typing import Any

from conformance.refusals import refused


def call(client: Any, bucket: str) -> Any:
    return client.put_object_retention(
        Bucket=bucket, Key="key", Retention={"Mode": "GOVERNANCE", "RetainUntilDate": "2040-01-01T00:00:00Z"}
    )


def test_bucket_without_object_lock(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    with refused("InvalidRequest", 400) as error:
        call(s3, bucket)
    assert error["Message"] == "Bucket is missing Object Lock Configuration"


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        call(s3, "there-is-no-such-bucket")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        call(alice, bucket)
