from __future__ import annotations

from typing import Any

import pytest

from conformance.raw import Raw
from conformance.refusals import refused


def set_status(s3: Any, bucket: str, status: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def test_object_from_before_becomes_the_null_version(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"before")
    set_status(s3, bucket, "Enabled")
    s3.put_object(Bucket=bucket, Key="key", Body=b"after")
    assert s3.get_object(Bucket=bucket, Key="key", VersionId="null")["Body"].read() == b"before"


def test_enabled_gives_each_write_an_id(s3: Any, versioned: str) -> None:
    ids = [s3.put_object(Bucket=versioned, Key="key")["VersionId"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert "null" not in ids


def test_suspended_writes_the_null_version(s3: Any, versioned: str) -> None:
    kept = s3.put_object(Bucket=versioned, Key="key", Body=b"kept")["VersionId"]
    set_status(s3, versioned, "Suspended")
    # AWS's answer to a write while suspended carries no version id.
    assert "VersionId" not in s3.put_object(Bucket=versioned, Key="key", Body=b"null 1")
    s3.put_object(Bucket=versioned, Key="key", Body=b"null 2")
    assert s3.get_object(Bucket=versioned, Key="key")["VersionId"] == "null"
    listed = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert [version["VersionId"] for version in listed] == ["null", kept]
    assert s3.get_object(Bucket=versioned, Key="key")["Body"].read() == b"null 2"


def test_enabled_again_keeps_the_null_version(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"null")
    set_status(s3, bucket, "Enabled")
    set_status(s3, bucket, "Suspended")
    set_status(s3, bucket, "Enabled")
    s3.put_object(Bucket=bucket, Key="key", Body=b"named")
    assert s3.get_object(Bucket=bucket, Key="key", VersionId="null")["Body"].read() == b"null"


@pytest.mark.parametrize("status", ["enabled", "Disabled", ""])
def test_status_that_is_none_is_refused(raw: Raw, bucket: str, status: str) -> None:
    body = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>".encode()
    answer = raw.put(f"/{bucket}", body, {"versioning": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_body_that_is_not_xml_is_refused(raw: Raw, bucket: str) -> None:
    answer = raw.put(f"/{bucket}", b"<VersioningConfiguration>", {"versioning": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        set_status(s3, "there-is-no-such-bucket", "Enabled")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        set_status(alice, bucket, "Enabled")


def test_bucket_with_object_lock_keeps_versioning(s3: Any, locked: str) -> None:
    with refused("InvalidBucketState", 409) as error:
        set_status(s3, locked, "Suspended")
    assert error["Message"] == (
        "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
    )
    set_status(s3, locked, "Enabled")
    assert s3.get_bucket_versioning(Bucket=locked)["Status"] == "Enabled"
