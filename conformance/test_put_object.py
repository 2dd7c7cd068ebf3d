from __future__ import annotations

from email.header import decode_header
from typing import Any

import pytest

from conformance.content import MIB, etag, noise
from conformance.raw import Raw
from conformance.refusals import refused


@pytest.mark.parametrize("size", [0, 1, 1000, 65535, 65536, 65537, MIB, 9 * MIB + 1])
def test_body_comes_back_whole(s3: Any, bucket: str, size: int) -> None:
    body = noise(size)
    assert s3.put_object(Bucket=bucket, Key="key", Body=body)["ETag"] == etag(body)
    found = s3.get_object(Bucket=bucket, Key="key")
    assert (found["ContentLength"], found["ETag"]) == (size, etag(body))
    assert found["Body"].read() == body


def test_answer_has_an_empty_body_and_the_etag(raw: Raw, bucket: str) -> None:
    answer = raw.put(f"/{bucket}/key", b"hello")
    assert (answer.status, answer.body, answer.header("content-length")) == (200, b"", "0")
    assert answer.header("etag") == etag(b"hello")
    assert answer.header("last-modified") is None


def test_overwrites(s3: Any, bucket: str) -> None:
    for body in (b"first", noise(MIB), b"third, and shorter"):
        s3.put_object(Bucket=bucket, Key="key", Body=body)
    found = s3.get_object(Bucket=bucket, Key="key")
    assert found["Body"].read() == b"third, and shorter"
    assert "VersionId" not in found


def test_overwriting_forgets_what_the_object_had(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket, Key="key", Metadata={"a": "b"}, Tagging="a=b", CacheControl="no-cache", ContentType="a/b"
    )
    s3.put_object(Bucket=bucket, Key="key")
    found = s3.head_object(Bucket=bucket, Key="key")
    assert (found["Metadata"], found["ContentType"]) == ({}, "binary/octet-stream")
    assert "CacheControl" not in found
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []


def test_content_headers_are_kept(s3: Any, bucket: str) -> None:
    headers = {
        "CacheControl": "max-age=60, public",
        "ContentDisposition": 'attachment; filename="a b.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de-AT",
        "ContentType": "text/plain; charset=utf-8",
    }
    s3.put_object(Bucket=bucket, Key="key", **headers)
    for found in (s3.head_object(Bucket=bucket, Key="key"), s3.get_object(Bucket=bucket, Key="key")):
        assert {name: found[name] for name in headers} == headers


def test_expires_comes_back_as_it_was_sent(raw: Raw, bucket: str) -> None:
    for text in ("Wed, 21 Oct 2026 07:28:00 GMT", "0"):
        raw.put(f"/{bucket}/key", b"", headers={"Expires": text})
        assert raw.head(f"/{bucket}/key").header("expires") == text


def test_aws_chunked_is_not_part_of_the_content_encoding(raw: Raw, bucket: str) -> None:
    request = raw.chunked(f"/{bucket}/key", [b"hello"], headers={"Content-Encoding": "aws-chunked,gzip"})
    assert raw.send(request).status == 200
    assert raw.head(f"/{bucket}/key").header("content-encoding") == "gzip"
    assert raw.send(raw.chunked(f"/{bucket}/key", [b"hello"])).status == 200
    assert raw.head(f"/{bucket}/key").header("content-encoding") in (None, "")


def test_metadata_is_kept_under_lower_case_names(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Metadata={"Mixed-Case": "Value  kept", "under_score": "", "n": "1"})
    found = s3.head_object(Bucket=bucket, Key="key")["Metadata"]
    assert found == {"mixed-case": "Value  kept", "under_score": "", "n": "1"}


def test_metadata_sent_twice_is_joined(raw: Raw, bucket: str) -> None:
    request = raw.prepare("PUT", f"/{bucket}/key", headers={"x-amz-meta-a": "1,2"})
    head = request.head().replace(b"x-amz-meta-a: 1,2\r\n", b"x-amz-meta-a: 1\r\nx-amz-meta-a: 2\r\n")
    with raw.connect() as connection:
        connection.write(head)
        assert connection.answer().status == 200
    assert raw.head(f"/{bucket}/key").header("x-amz-meta-a") == "1,2"


def test_metadata_in_rfc_2047_comes_back_so(raw: Raw, bucket: str) -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
    raw.put(f"/{bucket}/key", headers={"x-amz-meta-colour": "=?UTF-8?B?Z3LDvG4=?="})
    assert raw.head(f"/{bucket}/key").header("x-amz-meta-colour") == "=?UTF-8?Q?gr=C3=BCn?="


def test_metadata_in_bare_bytes_comes_back_in_rfc_2047(raw: Raw, bucket: str) -> None:
    """HTTP's header bytes are Latin-1, so bare UTF-8 comes back as the two letters that its two bytes are."""
    request = raw.prepare("PUT", f"/{bucket}/key", headers={"x-amz-meta-colour": "grün"})
    with raw.connect() as connection:
        connection.write(request.head().decode("latin-1").encode())
        assert connection.answer("PUT").status == 200
    found = raw.head(f"/{bucket}/key").header("x-amz-meta-colour") or ""
    ((word, charset),) = decode_header(found)
    assert found.isascii()
    assert (word.decode(charset or "ascii") if isinstance(word, bytes) else word) == "grÃ¼n"


def test_two_kilobytes_of_metadata_are_taken(s3: Any, bucket: str) -> None:
    # Counted are the bytes of names (without the prefix) and values.
    metadata = {"a": "x" * 1000, "b": "y" * 1046}
    s3.put_object(Bucket=bucket, Key="key", Metadata=metadata)
    assert s3.head_object(Bucket=bucket, Key="key")["Metadata"] == metadata


def test_more_than_two_kilobytes_of_metadata_are_refused(s3: Any, bucket: str) -> None:
    with refused("MetadataTooLarge", 400) as error:
        s3.put_object(Bucket=bucket, Key="key", Metadata={"a": "x" * 1000, "b": "y" * 1047})
    assert (error["Size"], error["MaxSizeAllowed"]) == ("2049", "2048")
    with refused(404):
        s3.head_object(Bucket=bucket, Key="key")


@pytest.mark.parametrize(
    "name", ["STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "REDUCED_REDUNDANCY", "INTELLIGENT_TIERING"]
)
def test_storage_class_is_echoed(s3: Any, bucket: str, name: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body", StorageClass=name)
    assert s3.head_object(Bucket=bucket, Key="key")["StorageClass"] == name
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["StorageClass"] == name


def test_storage_class_that_is_none_is_refused(s3: Any, bucket: str) -> None:
    with refused("InvalidStorageClass", 400):
        s3.put_object(Bucket=bucket, Key="key", StorageClass="LUKEWARM")


def test_tags_come_with_it(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Tagging="team=storage&empty=&bare&odd=a%3Ab%3D%20c%2Bd")
    found = s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {
        "team": "storage",
        "empty": "",
        "bare": "",
        "odd": "a:b= c+d",
    }
    assert s3.get_object(Bucket=bucket, Key="key")["TagCount"] == 4


@pytest.mark.parametrize("tagging", ["a=1&a=2", "key1=val1,key2=val2", "key%", "key=%4"])
def test_tags_in_a_wrong_form_are_refused(s3: Any, bucket: str, tagging: str) -> None:
    with refused("InvalidArgument", 400):
        s3.put_object(Bucket=bucket, Key="key", Tagging=tagging)


def test_eleven_tags_are_too_many(s3: Any, bucket: str) -> None:
    with refused("BadRequest", 400):
        s3.put_object(Bucket=bucket, Key="key", Tagging="&".join(f"k{n}=v" for n in range(11)))


def test_versioned_bucket_answers_with_the_version(s3: Any, versioned: str) -> None:
    first = s3.put_object(Bucket=versioned, Key="key", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=versioned, Key="key", Body=b"2")["VersionId"]
    assert s3.get_object(Bucket=versioned, Key="key")["VersionId"] == second
    assert s3.get_object(Bucket=versioned, Key="key", VersionId=first)["Body"].read() == b"1"


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.put_object(Bucket="there-is-no-such-bucket", Key="key", Body=b"body")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.put_object(Bucket=bucket, Key="key", Body=b"body")


def test_length_is_required(raw: Raw, bucket: str) -> None:
    request = raw.prepare("PUT", f"/{bucket}/key")
    del request.headers["Content-Length"]
    answer = raw.send(request)
    assert (answer.status, answer.code) == (411, "MissingContentLength")


@pytest.mark.parametrize("body", [b"", b"hello", noise(3 * MIB)], ids=len)
def test_chunked_transfer_encoding_stands_for_a_length(raw: Raw, bucket: str, body: bytes) -> None:
    """AWS answers it NotImplemented unless x-amz-decoded-content-length is there."""
    request = raw.prepare("PUT", f"/{bucket}/key", body=body)
    del request.headers["Content-Length"]
    request.headers["Transfer-Encoding"] = "chunked"
    pieces = [body[start : start + 100_000] for start in range(0, len(body), 100_000)]
    request.body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    assert raw.send(request).status == 200
    assert raw.get(f"/{bucket}/key").body == body


def test_chunked_transfer_encoding_around_aws_chunked(raw: Raw, bucket: str) -> None:
    """As SDKs send a stream whose length they know only in the framing's terms."""
    request = raw.chunked(f"/{bucket}/key", [b"hello"], {"x-amz-checksum-crc32": "NhCmhg=="}, signed=False)
    del request.headers["Content-Length"]
    request.headers["Transfer-Encoding"] = "chunked"
    request.body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(request.body), request.body)
    assert raw.send(request).status == 200
    assert raw.get(f"/{bucket}/key").body == b"hello"


def test_more_than_five_gib_are_refused_unread(raw: Raw, bucket: str) -> None:
    request = raw.prepare("PUT", f"/{bucket}/key", payload="UNSIGNED-PAYLOAD")
    request.headers["Content-Length"] = str(5 * 1024 * MIB + 1)
    with raw.connect() as connection:
        connection.write(request.head())
        answer = connection.answer("PUT")
    assert (answer.status, answer.code) == (400, "EntityTooLarge")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-amz-server-side-encryption", "aws:kms:dsse"),
        ("x-amz-server-side-encryption-context", "e30="),
        ("x-amz-write-offset-bytes", "0"),
    ],
)
def test_header_that_is_not_honoured_is_refused(raw: Raw, bucket: str, header: str, value: str) -> None:
    answer = raw.put(f"/{bucket}/key", b"body", headers={header: value})
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert header in answer.body.decode()
    assert raw.head(f"/{bucket}/key").status == 404


def test_no_version_can_be_put(raw: Raw, s3: Any, versioned: str) -> None:
    version = s3.put_object(Bucket=versioned, Key="key", Body=b"kept")["VersionId"]
    for headers in ({}, {"x-amz-copy-source": f"{versioned}/key"}):
        answer = raw.put(f"/{versioned}/key", query={"versionId": version}, headers=headers)
        assert (answer.status, answer.code) == (400, "InvalidArgument")
        assert answer.text("Message") == "This operation does not accept a version-id."
    (kept,) = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert kept["VersionId"] == version


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2140-01-01T00:00:00Z"},
        {"x-amz-object-lock-legal-hold": "ON"},
    ],
)
def test_bucket_without_object_lock_takes_no_lock(raw: Raw, bucket: str, headers: dict[str, str]) -> None:
    raw.put(f"/{bucket}/source", b"body")
    copied = {"x-amz-copy-source": f"{bucket}/source"}
    for answer in (
        raw.put(f"/{bucket}/key", b"body", headers=headers),
        raw.put(f"/{bucket}/key", headers=headers | copied),
        raw.post(f"/{bucket}/key", query={"uploads": ""}, headers=headers),
    ):
        assert (answer.status, answer.code) == (400, "InvalidRequest")
        assert answer.root.findtext("Message") == "Bucket is missing ObjectLockConfiguration"
    assert raw.head(f"/{bucket}/key").status == 404
