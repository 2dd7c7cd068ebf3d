from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.refusals import refused


def test_never_enabled_has_no_status(raw: Raw, bucket: str) -> None:
    answer = raw.get(f"/{bucket}", {"versioning": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}VersioningConfiguration"
    assert len(answer.root) == 0


def test_enabled(s3: Any, versioned: str) -> None:
    assert s3.get_bucket_versioning(Bucket=versioned)["Status"] == "Enabled"


def test_suspended(s3: Any, versioned: str) -> None:
    s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})
    assert s3.get_bucket_versioning(Bucket=versioned)["Status"] == "Suspended"


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.get_bucket_versioning(Bucket="there-is-no-such-bucket")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.get_bucket_versioning(Bucket=bucket)
