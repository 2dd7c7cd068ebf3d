"""What is asked of every configuration that a bucket does not have."""

from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.refusals import refused


def check_none(s3: Any, alice: Any, bucket: str, call: str, code: str) -> None:
    """Read from a bucket that has none, one that is not there, and by somebody who may not."""
    with refused(code, 404) as error:
        getattr(s3, call)(Bucket=bucket)
    assert error["BucketName"] == bucket
    check_others(s3, alice, bucket, call)


def check_delete(s3: Any, alice: Any, bucket: str, call: str) -> None:
    """S3 answers the same whether there was one or not."""
    assert getattr(s3, call)(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    check_others(s3, alice, bucket, call)


def check_empty(raw: Raw, bucket: str, subresource: str, root: str) -> None:
    answer = raw.get(f"/{bucket}", {subresource: ""})
    assert answer.status == 200
    assert answer.root.tag == f"{{http://s3.amazonaws.com/doc/2006-03-01/}}{root}"
    assert len(answer.root) == 0


def check_without_lock(s3: Any, alice: Any, bucket: str, call: str, **given: Any) -> None:
    """Of an object in a bucket without Object Lock."""
    s3.put_object(Bucket=bucket, Key="key")
    with refused("InvalidRequest", 400) as error:
        getattr(s3, call)(Bucket=bucket, Key="key", **given)
    assert error["Message"] == "Bucket is missing Object Lock Configuration"
    check_others(s3, alice, bucket, call, Key="key", **given)


def check_others(s3: Any, alice: Any, bucket: str, call: str, **given: Any) -> None:
    with refused("NoSuchBucket", 404):
        getattr(s3, call)(Bucket="there-is-no-such-bucket", **given)
    with refused("AccessDenied", 403):
        getattr(alice, call)(Bucket=bucket, **given)
