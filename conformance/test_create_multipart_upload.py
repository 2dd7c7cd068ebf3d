from __future__ import annotations

from typing import Any

import pytest

from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused


def test_nothing_is_seen_before_it_is_complete(s3: Any, bucket: str) -> None:
    Upload.begin(s3, bucket).put(b"part")
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="key")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_body_is_the_element_aws_sends(raw: Raw, bucket: str) -> None:
    answer = raw.post(f"/{bucket}/a key", query={"uploads": ""})
    assert answer.status == 200
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}InitiateMultipartUploadResult"
    assert (answer.text("Bucket"), answer.text("Key")) == (bucket, "a key")
    assert answer.text("UploadId")


def test_several_uploads_of_one_key_live_side_by_side(s3: Any, bucket: str) -> None:
    first, second = (Upload.begin(s3, bucket).put(body) for body in (b"first", b"second"))
    assert first.id != second.id
    second.complete()
    first.complete()
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"first"


def test_what_the_object_shall_have_is_kept(s3: Any, bucket: str) -> None:
    Upload.begin(
        s3,
        bucket,
        Metadata={"a": "b"},
        ContentType="text/plain",
        CacheControl="no-cache",
        ContentDisposition="inline",
        ContentEncoding="gzip",
        ContentLanguage="de",
        StorageClass="STANDARD_IA",
        Tagging="t=1",
    ).put(b"body").complete()
    found = s3.head_object(Bucket=bucket, Key="key")
    assert (found["Metadata"], found["ContentType"], found["StorageClass"]) == (
        {"a": "b"},
        "text/plain",
        "STANDARD_IA",
    )
    assert (found["CacheControl"], found["ContentDisposition"]) == ("no-cache", "inline")
    assert (found["ContentEncoding"], found["ContentLanguage"]) == ("gzip", "de")
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == [{"Key": "t", "Value": "1"}]


def test_checksum_algorithm_and_type_are_confirmed(s3: Any, bucket: str) -> None:
    answer = s3.create_multipart_upload(Bucket=bucket, Key="key", ChecksumAlgorithm="SHA256")
    assert (answer["ChecksumAlgorithm"], answer["ChecksumType"]) == ("SHA256", "COMPOSITE")


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("CRC32", "COMPOSITE"), ("CRC32C", "COMPOSITE"), ("SHA1", "COMPOSITE"), ("CRC64NVME", "FULL_OBJECT")],
)
def test_default_checksum_type(s3: Any, bucket: str, algorithm: str, kind: str) -> None:
    answer = s3.create_multipart_upload(Bucket=bucket, Key="key", ChecksumAlgorithm=algorithm)
    assert answer["ChecksumType"] == kind


def test_checksum_type_in_any_case(raw: Raw, bucket: str) -> None:
    headers = {"x-amz-checksum-algorithm": "Crc32", "x-amz-checksum-type": "Full_Object"}
    answer = raw.post(f"/{bucket}/key", query={"uploads": ""}, headers=headers)
    shown = (answer.header("x-amz-checksum-algorithm"), answer.header("x-amz-checksum-type"))
    assert shown == ("CRC32", "FULL_OBJECT")


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("CRC64NVME", "COMPOSITE"), ("SHA1", "FULL_OBJECT"), ("SHA256", "FULL_OBJECT")],
)
def test_checksum_type_that_the_algorithm_cannot_have(s3: Any, bucket: str, algorithm: str, kind: str) -> None:
    with refused("InvalidRequest", 400):
        s3.create_multipart_upload(Bucket=bucket, Key="key", ChecksumAlgorithm=algorithm, ChecksumType=kind)


def test_checksum_type_without_algorithm_is_refused(s3: Any, bucket: str) -> None:
    with refused("InvalidRequest", 400):
        s3.create_multipart_upload(Bucket=bucket, Key="key", ChecksumType="COMPOSITE")


def test_checksum_algorithm_that_is_none_is_refused(raw: Raw, bucket: str) -> None:
    headers = {"x-amz-checksum-algorithm": "MD4"}
    answer = raw.post(f"/{bucket}/key", query={"uploads": ""}, headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_storage_class_that_is_none_is_refused(s3: Any, bucket: str) -> None:
    with refused("InvalidStorageClass", 400):
        s3.create_multipart_upload(Bucket=bucket, Key="key", StorageClass="LUKEWARM")


def test_too_much_metadata_is_refused(s3: Any, bucket: str) -> None:
    with refused("MetadataTooLarge", 400):
        s3.create_multipart_upload(Bucket=bucket, Key="key", Metadata={"a": "x" * 2048})


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.create_multipart_upload(Bucket="there-is-no-such-bucket", Key="key")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.create_multipart_upload(Bucket=bucket, Key="key")
