from __future__ import annotations

from typing import Any

import pytest

from conformance.content import MIB, etag, noise
from conformance.raw import Raw
from conformance.refusals import refused

BODY = b"0123456789"


@pytest.fixture
def digits(s3: Any, bucket: str) -> str:
    """A bucket whose object `key` holds ten digits."""
    s3.put_object(Bucket=bucket, Key="key", Body=BODY)
    return bucket


def test_headers_are_those_that_aws_sends(raw: Raw, digits: str) -> None:
    answer = raw.get(f"/{digits}/key")
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.header("accept-ranges") == "bytes"
    assert answer.header("content-type") == "binary/octet-stream"
    assert answer.header("content-length") == "10"
    assert answer.header("etag") == etag(BODY)
    assert (answer.header("last-modified") or "").endswith(" GMT")
    assert not answer.names() & {
        "x-amz-storage-class",
        "x-amz-version-id",
        "x-amz-delete-marker",
        "x-amz-tagging-count",
        "x-amz-mp-parts-count",
        "content-range",
        "content-encoding",
        "cache-control",
        "x-amz-checksum-crc64nvme",
    }


def test_key_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404) as error:
        s3.get_object(Bucket=bucket, Key="no such key")
    assert error["Key"] == "no such key"


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.get_object(Bucket="there-is-no-such-bucket", Key="key")


def test_object_of_another_is_forbidden(alice: Any, digits: str) -> None:
    with refused("AccessDenied", 403):
        alice.get_object(Bucket=digits, Key="key")


@pytest.mark.parametrize(
    ("asked", "got", "shown"),
    [
        ("bytes=0-8", b"012345678", "bytes 0-8/10"),
        ("bytes=1-1", b"1", "bytes 1-1/10"),
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=9-9", b"9", "bytes 9-9/10"),
        ("bytes=3-", b"3456789", "bytes 3-9/10"),
        ("bytes=0-", BODY, "bytes 0-9/10"),
        ("bytes=0-100", BODY, "bytes 0-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=-10", BODY, "bytes 0-9/10"),
        ("bytes=-15", BODY, "bytes 0-9/10"),
    ],
)
def test_range(raw: Raw, digits: str, asked: str, got: bytes, shown: str) -> None:
    answer = raw.get(f"/{digits}/key", headers={"Range": asked})
    assert (answer.status, answer.body, answer.header("content-range")) == (206, got, shown)
    assert answer.header("content-length") == str(len(got))
    assert answer.header("etag") == etag(BODY)


@pytest.mark.parametrize("asked", ["bytes=1-0", "bytes=-1-", "bytes=-", "bytes", "0-8", "lines=0-1", "bytes=a-b"])
def test_range_that_is_none_is_overlooked(raw: Raw, digits: str, asked: str) -> None:
    answer = raw.get(f"/{digits}/key", headers={"Range": asked})
    assert (answer.status, answer.body, answer.header("content-range")) == (200, BODY, None)


def test_several_ranges_get_the_whole_object(raw: Raw, digits: str) -> None:
    # S3 serves one range a request.
    answer = raw.get(f"/{digits}/key", headers={"Range": "bytes=0-1,3-4"})
    assert (answer.status, answer.body) == (200, BODY)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=100-200", "bytes=-0"])
def test_range_past_the_end_is_refused(s3: Any, digits: str, asked: str) -> None:
    with refused("InvalidRange", 416) as error:
        s3.get_object(Bucket=digits, Key="key", Range=asked)
    assert (error["ActualObjectSize"], error["RangeRequested"]) == ("10", asked)


def test_range_of_an_empty_object_is_refused(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="empty")
    with refused("InvalidRange", 416):
        s3.get_object(Bucket=bucket, Key="empty", Range="bytes=0-0")


@pytest.mark.parametrize(("start", "end"), [(0, 0), (MIB - 1, MIB), (5, 2 * MIB + 7), (3 * MIB - 1, 3 * MIB - 1)])
def test_range_of_a_large_object(s3: Any, bucket: str, start: int, end: int) -> None:
    body = noise(3 * MIB)
    s3.put_object(Bucket=bucket, Key="large", Body=body)
    found = s3.get_object(Bucket=bucket, Key="large", Range=f"bytes={start}-{end}")
    assert found["Body"].read() == body[start : end + 1]


def test_part_one_of_an_object_that_was_put_whole(s3: Any, digits: str) -> None:
    found = s3.get_object(Bucket=digits, Key="key", PartNumber=1)
    assert found["Body"].read() == BODY
    assert found["ContentRange"] == "bytes 0-9/10"


def test_part_two_of_an_object_that_was_put_whole(s3: Any, digits: str) -> None:
    with refused("InvalidPartNumber", 416) as error:
        s3.get_object(Bucket=digits, Key="key", PartNumber=2)
    assert (error["ActualPartCount"], error["PartNumberRequested"]) == ("1", "2")


def test_part_and_range_are_refused_together(s3: Any, digits: str) -> None:
    with refused("InvalidRequest", 400):
        s3.get_object(Bucket=digits, Key="key", PartNumber=1, Range="bytes=0-1")


@pytest.mark.parametrize("number", ["0", "10001", "-1", "one"])
def test_part_number_out_of_bounds_is_refused(raw: Raw, digits: str, number: str) -> None:
    answer = raw.get(f"/{digits}/key", {"partNumber": number})
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_response_overrides(s3: Any, digits: str) -> None:
    found = s3.get_object(
        Bucket=digits,
        Key="key",
        ResponseCacheControl="no-cache",
        ResponseContentDisposition="attachment; filename=x.txt",
        ResponseContentEncoding="identity",
        ResponseContentLanguage="de",
        ResponseContentType="text/plain",
    )
    assert found["CacheControl"] == "no-cache"
    assert found["ContentDisposition"] == "attachment; filename=x.txt"
    assert found["ContentEncoding"] == "identity"
    assert found["ContentLanguage"] == "de"
    assert found["ContentType"] == "text/plain"


def test_response_expires(raw: Raw, digits: str) -> None:
    when = "Thu, 01 Dec 2026 16:00:00 GMT"
    assert raw.get(f"/{digits}/key", {"response-expires": when}).header("expires") == when


def test_anonymous_is_refused(raw: Raw, digits: str) -> None:
    answer = raw.send(raw.plain("GET", f"/{digits}/key"))
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_version_by_id(s3: Any, versioned: str) -> None:
    first = s3.put_object(Bucket=versioned, Key="key", Body=b"first")["VersionId"]
    s3.put_object(Bucket=versioned, Key="key", Body=b"second")
    found = s3.get_object(Bucket=versioned, Key="key", VersionId=first)
    assert (found["Body"].read(), found["VersionId"]) == (b"first", first)


def test_version_that_is_gone(s3: Any, versioned: str) -> None:
    gone = s3.put_object(Bucket=versioned, Key="key")["VersionId"]
    s3.put_object(Bucket=versioned, Key="key")
    s3.delete_object(Bucket=versioned, Key="key", VersionId=gone)
    with refused("NoSuchVersion", 404) as error:
        s3.get_object(Bucket=versioned, Key="key", VersionId=gone)
    assert (error["Key"], error["VersionId"]) == ("key", gone)


def test_version_id_that_cannot_be_is_refused(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key")
    with refused("InvalidArgument", 400) as error:
        s3.get_object(Bucket=versioned, Key="key", VersionId="no version id")
    assert error["ArgumentName"] == "versionId"


def test_null_version_of_an_unversioned_object(s3: Any, digits: str) -> None:
    assert s3.get_object(Bucket=digits, Key="key", VersionId="null")["Body"].read() == BODY


def test_under_a_delete_marker(raw: Raw, s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key", Body=b"hidden")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    answer = raw.get(f"/{versioned}/key")
    assert (answer.status, answer.code) == (404, "NoSuchKey")
    assert answer.header("x-amz-delete-marker") == "true"
    assert answer.header("x-amz-version-id") == marker


def test_delete_marker_by_id(raw: Raw, s3: Any, versioned: str) -> None:
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    answer = raw.get(f"/{versioned}/key", {"versionId": marker})
    assert (answer.status, answer.code) == (405, "MethodNotAllowed")
    assert answer.header("x-amz-delete-marker") == "true"
    assert answer.header("last-modified")
    assert (answer.text("Method"), answer.text("ResourceType")) == ("GET", "DeleteMarker")


def test_reader_of_an_overwritten_object_gets_the_old_whole(s3: Any, bucket: str) -> None:
    old, new = noise(6 * MIB, 1), noise(6 * MIB, 2)
    s3.put_object(Bucket=bucket, Key="key", Body=old)
    stream = s3.get_object(Bucket=bucket, Key="key")["Body"]
    start = stream.read(1000)
    s3.put_object(Bucket=bucket, Key="key", Body=new)
    assert start + stream.read() == old
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == new
