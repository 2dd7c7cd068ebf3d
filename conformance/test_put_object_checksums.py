"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html"""

from __future__ import annotations

from typing import Any

import pytest

from conformance.content import ALGORITHMS, MIB, checksum, content_md5, noise
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused

SIZES = (5, 2 * MIB)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_right_value_is_kept_and_returned(s3: Any, bucket: str, algorithm: str, size: int) -> None:
    body, member = noise(size), f"Checksum{algorithm}"
    value = checksum(algorithm, body)
    put = s3.put_object(Bucket=bucket, Key="key", Body=body, **{member: value})
    assert (put[member], put["ChecksumType"]) == (value, "FULL_OBJECT")
    head = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert (head[member], head["ChecksumType"]) == (value, "FULL_OBJECT")
    get = s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert (get[member], get["Body"].read() == body) == (value, True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_wrong_value_is_refused_and_nothing_stays(s3: Any, bucket: str, algorithm: str, size: int) -> None:
    wrong = checksum(algorithm, b"something else")
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=noise(size), **{f"Checksum{algorithm}": wrong})
    with refused(404):
        s3.head_object(Bucket=bucket, Key="key")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("value", ["not base64!", "AAA="])
def test_value_that_cannot_be_is_refused(raw: Raw, bucket: str, algorithm: str, value: str) -> None:
    answer = raw.put(f"/{bucket}/key", b"body", headers={f"x-amz-checksum-{algorithm.lower()}": value})
    assert (answer.status, answer.code) == (400, "InvalidRequest")


@pytest.mark.parametrize(("name", "status"), [("sha256", 200), ("Sha256", 200), ("crc32", 400), ("sha257", 400)])
def test_algorithm_of_the_sdk_is_that_of_the_value_in_whatever_case(
    raw: Raw, bucket: str, name: str, status: int
) -> None:
    headers = {"x-amz-checksum-sha256": checksum("SHA256", b"body"), "x-amz-sdk-checksum-algorithm": name}
    answer = raw.put(f"/{bucket}/key", b"body", headers=headers)
    assert answer.status == status
    assert status == 200 or answer.code == "InvalidRequest"


def test_algorithm_that_nobody_knows_is_refused(raw: Raw, s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(b"body")
    headers = {"x-amz-checksum-adler32": "AAAAAA=="}
    part = {"uploadId": upload.id, "partNumber": "1"}
    whole = f"<Part><PartNumber>1</PartNumber><ETag>{upload.parts[0]['ETag']}</ETag></Part>"
    body = f"<CompleteMultipartUpload>{whole}</CompleteMultipartUpload>".encode()
    for answer in (
        raw.put(f"/{bucket}/key", b"body", headers=headers),
        raw.put(f"/{bucket}/key", b"body", part, headers),
        raw.post(f"/{bucket}/key", body, {"uploadId": upload.id}, headers),
        raw.put(f"/{bucket}", b"<VersioningConfiguration/>", {"versioning": ""}, headers),
    ):
        assert (answer.status, answer.code) == (400, "InvalidRequest")
        assert answer.text("Message") == "The algorithm type you specified in x-amz-checksum- header is invalid."
    assert raw.head(f"/{bucket}/key").status == 404


def test_two_checksums_are_refused(raw: Raw, bucket: str) -> None:
    headers = {f"x-amz-checksum-{name.lower()}": checksum(name, b"body") for name in ("CRC32", "SHA1")}
    answer = raw.put(f"/{bucket}/key", b"body", headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_algorithm_without_its_value_is_refused(raw: Raw, bucket: str) -> None:
    answer = raw.put(f"/{bucket}/key", b"body", headers={"x-amz-sdk-checksum-algorithm": "SHA256"})
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_without_one_the_object_gets_crc64nvme(raw: Raw, bucket: str) -> None:
    for body in (b"hello", noise(MIB)):
        answer = raw.put(f"/{bucket}/key", body)
        assert answer.header("x-amz-checksum-crc64nvme") == checksum("CRC64NVME", body)
        assert answer.header("x-amz-checksum-type") == "FULL_OBJECT"
        head = raw.head(f"/{bucket}/key", headers={"x-amz-checksum-mode": "ENABLED"})
        assert head.header("x-amz-checksum-crc64nvme") == checksum("CRC64NVME", body)


def test_listing_names_the_algorithm(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body", ChecksumAlgorithm="SHA256")
    (found,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert (found["ChecksumAlgorithm"], found["ChecksumType"]) == (["SHA256"], "FULL_OBJECT")


@pytest.mark.parametrize("size", SIZES)
def test_right_content_md5(raw: Raw, bucket: str, size: int) -> None:
    body = noise(size)
    assert raw.put(f"/{bucket}/key", body, headers={"Content-MD5": content_md5(body)}).status == 200


@pytest.mark.parametrize("size", SIZES)
def test_wrong_content_md5_is_refused_and_nothing_stays(raw: Raw, bucket: str, size: int) -> None:
    answer = raw.put(f"/{bucket}/key", noise(size), headers={"Content-MD5": content_md5(b"else")})
    assert (answer.status, answer.code) == (400, "BadDigest")
    assert answer.text("CalculatedDigest") == content_md5(noise(size))
    assert raw.head(f"/{bucket}/key").status == 404


@pytest.mark.parametrize("value", ["", "__invalid__", "000", "not base64 at all", "MTIz", "dGVzdC1zdHJpbmc="])
def test_content_md5_that_cannot_be_is_refused(raw: Raw, bucket: str, value: str) -> None:
    answer = raw.put(f"/{bucket}/key", b"body", headers={"Content-MD5": value})
    assert (answer.status, answer.code) == (400, "InvalidDigest")


@pytest.mark.parametrize("size", SIZES)
def test_payload_hash_that_is_not_the_bodys_is_refused(raw: Raw, bucket: str, size: int) -> None:
    request = raw.prepare("PUT", f"/{bucket}/key", body=noise(size), payload="0" * 64)
    answer = raw.send(request)
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    assert raw.head(f"/{bucket}/key").status == 404


def test_refused_write_leaves_the_old_object(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=noise(MIB), ChecksumCRC32=checksum("CRC32", b"else"))
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"old"
