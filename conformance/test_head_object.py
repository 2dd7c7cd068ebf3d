from __future__ import annotations

from typing import Any

import pytest

from conformance.content import checksum, etag
from conformance.raw import Raw
from conformance.refusals import refused

BODY = b"0123456789"


@pytest.fixture
def digits(s3: Any, bucket: str) -> str:
    s3.put_object(Bucket=bucket, Key="key", Body=BODY, Metadata={"a": "b"}, ContentType="text/plain")
    return bucket


def test_same_headers_as_get_and_no_body(raw: Raw, digits: str) -> None:
    head, get = raw.head(f"/{digits}/key"), raw.get(f"/{digits}/key")
    own = {"x-amz-request-id", "x-amz-id-2", "date"}
    assert head.body == b""
    assert {pair for pair in head.headers if pair[0].lower() not in own} == {
        pair for pair in get.headers if pair[0].lower() not in own
    }


def test_connection_goes_on(raw: Raw, digits: str) -> None:
    with raw.connect() as connection:
        for _ in range(3):
            answer = connection.exchange(raw.prepare("HEAD", f"/{digits}/key"))
            assert (answer.status, answer.header("content-length")) == (200, "10")
            assert connection.exchange(raw.prepare("HEAD", f"/{digits}/none")).status == 404


def test_key_that_is_not_there(raw: Raw, bucket: str) -> None:
    answer = raw.head(f"/{bucket}/none")
    assert (answer.status, answer.body, answer.header("content-type")) == (404, b"", "application/xml")


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused(404):
        s3.head_object(Bucket="there-is-no-such-bucket", Key="key")


def test_object_of_another_is_forbidden(alice: Any, digits: str) -> None:
    with refused(403):
        alice.head_object(Bucket=digits, Key="key")


def test_range(raw: Raw, digits: str) -> None:
    answer = raw.head(f"/{digits}/key", headers={"Range": "bytes=2-4"})
    assert (answer.status, answer.header("content-range")) == (206, "bytes 2-4/10")
    assert answer.header("content-length") == "3"


def test_range_past_the_end(raw: Raw, digits: str) -> None:
    assert raw.head(f"/{digits}/key", headers={"Range": "bytes=10-"}).status == 416


def test_checksum_is_shown_when_asked_for(s3: Any, digits: str) -> None:
    found = s3.head_object(Bucket=digits, Key="key", ChecksumMode="ENABLED")
    assert found["ChecksumCRC32"] == checksum("CRC32", BODY)
    assert "ChecksumCRC32" not in s3.head_object(Bucket=digits, Key="key")


def test_tags_are_counted(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Tagging="a=1&b=2")
    assert s3.head_object(Bucket=bucket, Key="key")["TagCount"] == 2


def test_response_overrides(s3: Any, digits: str) -> None:
    found = s3.head_object(Bucket=digits, Key="key", ResponseContentType="image/png")
    assert found["ContentType"] == "image/png"


def test_version_by_id(s3: Any, versioned: str) -> None:
    first = s3.put_object(Bucket=versioned, Key="key", Body=b"first")["VersionId"]
    s3.put_object(Bucket=versioned, Key="key", Body=b"second")
    found = s3.head_object(Bucket=versioned, Key="key", VersionId=first)
    assert (found["ETag"], found["VersionId"]) == (etag(b"first"), first)


def test_under_a_delete_marker(raw: Raw, s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    answer = raw.head(f"/{versioned}/key")
    assert (answer.status, answer.header("x-amz-delete-marker")) == (404, "true")
    assert answer.header("x-amz-version-id") == marker


def test_delete_marker_by_id(raw: Raw, s3: Any, versioned: str) -> None:
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    answer = raw.head(f"/{versioned}/key", {"versionId": marker})
    assert (answer.status, answer.header("x-amz-delete-marker")) == (405, "true")
    assert answer.header("allow") == "DELETE"


def test_archived_class_can_be_looked_at(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", StorageClass="GLACIER")
    assert s3.head_object(Bucket=bucket, Key="key")["StorageClass"] == "GLACIER"
