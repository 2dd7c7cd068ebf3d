from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.refusals import refused


def test_deletes_every_tag(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body", Tagging="a=1&b=2")
    answer = raw.delete(f"/{bucket}/key", {"tagging": ""})
    assert (answer.status, answer.body) == (204, b"")
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"body"


def test_version_by_id(s3: Any, versioned: str) -> None:
    first = s3.put_object(Bucket=versioned, Key="key", Tagging="a=1")["VersionId"]
    s3.put_object(Bucket=versioned, Key="key", Tagging="a=2")
    assert s3.delete_object_tagging(Bucket=versioned, Key="key", VersionId=first)["VersionId"] == first
    assert s3.get_object_tagging(Bucket=versioned, Key="key", VersionId=first)["TagSet"] == []
    assert s3.get_object_tagging(Bucket=versioned, Key="key")["TagSet"] == [{"Key": "a", "Value": "2"}]


def test_delete_marker_has_no_tags(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key")
    s3.delete_object(Bucket=versioned, Key="key")
    with refused("MethodNotAllowed", 405):
        s3.delete_object_tagging(Bucket=versioned, Key="key")


def test_key_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.delete_object_tagging(Bucket=bucket, Key="none")


def test_object_of_another_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Tagging="a=1")
    with refused("AccessDenied", 403):
        alice.delete_object_tagging(Bucket=bucket, Key="key")
