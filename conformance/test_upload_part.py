from __future__ import annotations

from typing import Any

import pytest

from conformance.content import ALGORITHMS, MIB, PART, checksum, content_md5, etag, noise
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused


def test_answers_with_the_etag_of_the_part(raw: Raw, s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    answer = raw.put(f"/{bucket}/key", b"part", {"uploadId": upload.id, "partNumber": "1"})
    assert (answer.status, answer.body, answer.header("etag")) == (200, b"", etag(b"part"))


def test_same_number_again_replaces(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    upload.put(noise(MIB))
    upload.parts.clear()
    upload.put(b"second").complete()
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"second"


@pytest.mark.parametrize("number", ["0", "10001", "-1", "one"])
def test_number_out_of_bounds_is_refused(raw: Raw, s3: Any, bucket: str, number: str) -> None:
    upload = Upload.begin(s3, bucket)
    answer = raw.put(f"/{bucket}/key", b"part", {"uploadId": upload.id, "partNumber": number})
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_upload_without_a_number_is_no_resource_to_put(raw: Raw, bucket: str) -> None:
    # As AWS was recorded to answer: https://github.com/versity/versitygw/issues/1236
    answer = raw.put(f"/{bucket}/key", b"part", {"uploadId": "any"})
    assert (answer.status, answer.code, answer.header("allow")) == (405, "MethodNotAllowed", "DELETE, GET, POST")
    assert (answer.text("Method"), answer.text("ResourceType")) == ("PUT", "UPLOAD")


def test_number_without_an_upload_is_refused(raw: Raw, bucket: str) -> None:
    answer = raw.put(f"/{bucket}/key", b"part", {"partNumber": "1"})
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert (answer.text("ArgumentName"), answer.text("ArgumentValue")) == ("partNumber", "partNumber")


def test_number_ten_thousand_is_taken(s3: Any, bucket: str) -> None:
    Upload.begin(s3, bucket).put(b"the last there can be", first=10000).complete()
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"the last there can be"


def test_upload_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchUpload", 404) as error:
        s3.upload_part(Bucket=bucket, Key="key", UploadId="none", PartNumber=1, Body=b"part")
    assert error["UploadId"] == "none"


def test_upload_of_another_key(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    with refused("NoSuchUpload", 404):
        s3.upload_part(Bucket=bucket, Key="other", UploadId=upload.id, PartNumber=1, Body=b"part")


def test_upload_of_another_user_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    with refused("AccessDenied", 403):
        alice.upload_part(PartNumber=1, Body=b"part", **upload.named)


def test_wrong_content_md5_is_refused(raw: Raw, s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    query = {"uploadId": upload.id, "partNumber": "1"}
    answer = raw.put(f"/{bucket}/key", b"part", query, {"Content-MD5": content_md5(b"else")})
    assert (answer.status, answer.code) == (400, "BadDigest")
    assert "Parts" not in s3.list_parts(**upload.named)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [4, MIB])
def test_checksum_is_verified_and_returned(s3: Any, bucket: str, algorithm: str, size: int) -> None:
    upload, member = Upload.begin(s3, bucket, ChecksumAlgorithm=algorithm), f"Checksum{algorithm}"
    value = checksum(algorithm, noise(size))
    answer = s3.upload_part(PartNumber=1, Body=noise(size), **{member: value}, **upload.named)
    assert answer[member] == value
    with refused("BadDigest", 400):
        s3.upload_part(PartNumber=2, Body=noise(size, 7), **{member: value}, **upload.named)
    (part,) = s3.list_parts(**upload.named)["Parts"]
    assert (part["PartNumber"], part[member]) == (1, value)


def test_checksum_of_another_algorithm_than_the_uploads_is_refused(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="SHA256")
    with refused("InvalidRequest", 400):
        s3.upload_part(PartNumber=1, Body=b"part", ChecksumCRC32=checksum("CRC32", b"part"), **upload.named)


def test_aws_chunked_with_trailer(raw: Raw, s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32C")
    body = noise(PART)
    trailers = {"x-amz-checksum-crc32c": checksum("CRC32C", body)}
    query = {"uploadId": upload.id, "partNumber": "1"}
    chunks = [body[:65536], body[65536:]]
    answer = raw.send(raw.chunked(f"/{bucket}/key", chunks, trailers, query=query))
    assert (answer.status, answer.header("etag")) == (200, etag(body))


def test_presigned(raw: Raw, s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    query = {"uploadId": upload.id, "partNumber": "1"}
    answer = raw.send(raw.presign("PUT", f"/{bucket}/key", query, body=b"part"))
    assert (answer.status, answer.header("etag")) == (200, etag(b"part"))


def test_empty_part(s3: Any, bucket: str) -> None:
    Upload.begin(s3, bucket).put(b"").complete()
    assert s3.head_object(Bucket=bucket, Key="key")["ContentLength"] == 0
