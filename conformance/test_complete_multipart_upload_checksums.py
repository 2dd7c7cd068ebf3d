"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html"""

from __future__ import annotations

from typing import Any

import pytest

from conformance.content import PART, checksum, composite, noise
from conformance.multipart import Upload
from conformance.refusals import refused

BODIES = (noise(PART, 1), noise(PART, 2), b"end")
WHOLE = b"".join(BODIES)


def shown(s3: Any, bucket: str, algorithm: str) -> tuple[str, str]:
    found = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    return found[f"Checksum{algorithm}"], found["ChecksumType"]


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_composite(s3: Any, bucket: str, algorithm: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType="COMPOSITE")
    answer = upload.put_with_checksum(algorithm, *BODIES).complete()
    value = composite(algorithm, *BODIES)
    assert (answer[f"Checksum{algorithm}"], answer["ChecksumType"]) == (value, "COMPOSITE")
    assert shown(s3, bucket, algorithm) == (value, "COMPOSITE")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_full_object(s3: Any, bucket: str, algorithm: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    value = checksum(algorithm, WHOLE)
    upload.put_with_checksum(algorithm, *BODIES)
    promised: dict[str, Any] = {"ChecksumType": "FULL_OBJECT", f"Checksum{algorithm}": value}
    answer = upload.complete(**promised)
    assert (answer[f"Checksum{algorithm}"], answer["ChecksumType"]) == (value, "FULL_OBJECT")
    assert shown(s3, bucket, algorithm) == (value, "FULL_OBJECT")


def test_full_object_is_worked_out_without_being_given(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    upload.put_with_checksum("CRC32", *BODIES).complete()
    assert shown(s3, bucket, "CRC32") == (checksum("CRC32", WHOLE), "FULL_OBJECT")


def test_wrong_full_object_is_refused(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32C", ChecksumType="FULL_OBJECT")
    upload.put_with_checksum("CRC32C", *BODIES)
    with refused("BadDigest", 400):
        upload.complete(ChecksumCRC32C=checksum("CRC32C", b"else"), ChecksumType="FULL_OBJECT")
    with refused(404):
        s3.head_object(Bucket=bucket, Key="key")


def test_without_an_algorithm_the_object_gets_crc64nvme(s3: Any, bucket: str) -> None:
    answer = Upload.begin(s3, bucket).put(*BODIES).complete()
    assert answer["ChecksumCRC64NVME"] == checksum("CRC64NVME", WHOLE)
    assert shown(s3, bucket, "CRC64NVME") == (checksum("CRC64NVME", WHOLE), "FULL_OBJECT")


def test_composite_wants_each_parts_checksum(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="SHA256").put_with_checksum("SHA256", b"body")
    with refused("InvalidRequest", 400):
        upload.complete([{"PartNumber": 1, "ETag": upload.parts[0]["ETag"]}])


def test_part_named_with_a_wrong_checksum_is_refused(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="SHA256").put_with_checksum("SHA256", b"body")
    with refused("InvalidPart", 400):
        upload.complete([upload.parts[0] | {"ChecksumSHA256": checksum("SHA256", b"else")}])


@pytest.mark.parametrize("more", [{"ChecksumSHA256": "none"}, {"ChecksumCRC32": checksum("CRC32", b"body")}])
def test_part_named_with_what_is_no_checksum_or_with_two_is_refused(s3: Any, bucket: str, more: dict[str, str]) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="SHA256").put_with_checksum("SHA256", b"body")
    with refused("InvalidArgument", 400):
        upload.complete([upload.parts[0] | more])


def test_what_is_no_checksum_of_the_whole_is_refused(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    with refused("InvalidRequest", 400):
        upload.put_with_checksum("CRC32", b"body").complete(ChecksumCRC32="none")


@pytest.mark.parametrize("end", ["-", "-one", "-1-1"])
def test_what_is_no_composite_checksum_is_refused(s3: Any, bucket: str, end: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="COMPOSITE")
    upload.put_with_checksum("CRC32", b"body")
    with refused("InvalidRequest", 400) as error:
        upload.complete(ChecksumCRC32=checksum("CRC32", b"else") + end)
    assert error["Message"] == "Value for x-amz-checksum-crc32 header is invalid."


def test_two_checksums_of_the_whole_are_refused(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    upload.put_with_checksum("CRC32", b"body")
    with refused("InvalidRequest", 400) as error:
        upload.complete(ChecksumCRC32=checksum("CRC32", b"body"), ChecksumSHA1=checksum("SHA1", b"body"))
    assert error["Message"].startswith("Expecting a single x-amz-checksum- header.")


def test_another_type_than_the_uploads_is_refused(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="COMPOSITE")
    with refused("InvalidRequest", 400):
        upload.put_with_checksum("CRC32", b"body").complete(ChecksumType="FULL_OBJECT")


def test_listing_names_algorithm_and_type(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="SHA1")
    upload.put_with_checksum("SHA1", b"body").complete()
    (found,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert (found["ChecksumAlgorithm"], found["ChecksumType"]) == (["SHA1"], "COMPOSITE")


def test_part_of_the_object_shows_no_whole_checksum(s3: Any, bucket: str) -> None:
    Upload.begin(s3, bucket).put(*BODIES).complete()
    found = s3.get_object(Bucket=bucket, Key="key", PartNumber=2, ChecksumMode="ENABLED")
    assert "ChecksumCRC64NVME" not in found
    assert found["Body"].read() == BODIES[1]
