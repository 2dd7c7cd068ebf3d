from __future__ import annotations

from typing import Any

from conformance.content import PART, checksum, etag, noise
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused

ALL = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]


def test_of_an_object_put_whole(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body", ChecksumAlgorithm="SHA256")
    found = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=ALL)
    assert found["ETag"] == etag(b"body").strip('"')
    assert found["ObjectSize"] == 4
    assert found["StorageClass"] == "STANDARD"
    assert found["Checksum"] == {"ChecksumSHA256": checksum("SHA256", b"body"), "ChecksumType": "FULL_OBJECT"}
    assert "ObjectParts" not in found
    assert found["LastModified"]


def test_only_what_is_asked_for(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    answer = raw.get(f"/{bucket}/key", {"attributes": ""}, {"x-amz-object-attributes": "ObjectSize"})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}GetObjectAttributesResponse"
    assert [child.tag.rpartition("}")[2] for child in answer.root] == ["ObjectSize"]
    assert answer.header("last-modified")


def test_parts_of_a_multipart_object(s3: Any, bucket: str) -> None:
    bodies = [noise(PART, 1), noise(PART + 1, 2), b"last"]
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="SHA256", ChecksumType="COMPOSITE")
    done = upload.put_with_checksum("SHA256", *bodies).complete()
    found = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=ALL)
    assert found["ETag"] == done["ETag"].strip('"')
    # The parts are counted below: unlike everywhere else, their number does not follow the checksum.
    assert found["Checksum"] == {
        "ChecksumSHA256": done["ChecksumSHA256"].removesuffix("-3"),
        "ChecksumType": "COMPOSITE",
    }
    assert done["ChecksumSHA256"].endswith("-3")
    assert found["ObjectParts"]["TotalPartsCount"] == 3
    assert found["ObjectParts"]["Parts"] == [
        {"PartNumber": number, "Size": len(body), "ChecksumSHA256": checksum("SHA256", body)}
        for number, body in enumerate(bodies, 1)
    ]


def test_parts_in_pages(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="SHA256")
    upload.put_with_checksum("SHA256", noise(PART), noise(PART), b"end").complete()

    def page(**options: int) -> Any:
        answer = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ObjectParts"], **options)
        return answer["ObjectParts"]

    first = page(MaxParts=2)
    assert [part["PartNumber"] for part in first["Parts"]] == [1, 2]
    assert (first["IsTruncated"], first["NextPartNumberMarker"], first["MaxParts"]) == (True, 2, 2)
    last = page(MaxParts=2, PartNumberMarker=2)
    assert [part["PartNumber"] for part in last["Parts"]] == [3]
    assert last["IsTruncated"] is False


def test_parts_without_checksums_are_only_counted(s3: Any, bucket: str) -> None:
    Upload.begin(s3, bucket).put(noise(PART), b"last").complete()
    found = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ObjectParts"])
    assert found["ObjectParts"]["TotalPartsCount"] == 2
    assert "Parts" not in found["ObjectParts"]


def test_parts_of_what_has_a_checksum_of_the_whole_are_only_counted(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    upload.put_with_checksum("CRC32", noise(PART), b"last").complete(ChecksumType="FULL_OBJECT")
    found = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ObjectParts"])
    assert found["ObjectParts"] == {"TotalPartsCount": 2}
    part = s3.get_object(Bucket=bucket, Key="key", PartNumber=2, ChecksumMode="ENABLED")
    assert part["PartsCount"] == 2
    assert not {"ChecksumCRC32", "ChecksumType"} & part.keys()
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    upload.put_with_checksum("CRC32", b"sole").complete(ChecksumType="FULL_OBJECT")
    sole = s3.get_object(Bucket=bucket, Key="key", PartNumber=1, ChecksumMode="ENABLED")
    assert (sole["ChecksumCRC32"], sole["ChecksumType"]) == (checksum("CRC32", b"sole"), "FULL_OBJECT")


def test_version_by_id(s3: Any, versioned: str) -> None:
    first = s3.put_object(Bucket=versioned, Key="key", Body=b"1")["VersionId"]
    s3.put_object(Bucket=versioned, Key="key", Body=b"22")
    found = s3.get_object_attributes(Bucket=versioned, Key="key", VersionId=first, ObjectAttributes=["ObjectSize"])
    assert (found["ObjectSize"], found["VersionId"]) == (1, first)


def test_under_a_delete_marker(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key")
    s3.delete_object(Bucket=versioned, Key="key")
    with refused("NoSuchKey", 404) as error:
        s3.get_object_attributes(Bucket=versioned, Key="key", ObjectAttributes=["ETag"])
    assert error["Headers"]["x-amz-delete-marker"] == "true"


def test_attributes_must_be_named(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    answer = raw.get(f"/{bucket}/key", {"attributes": ""})
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_attribute_that_is_none_is_refused(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    answer = raw.get(f"/{bucket}/key", {"attributes": ""}, {"x-amz-object-attributes": "ETag,Colour"})
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_key_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.get_object_attributes(Bucket=bucket, Key="none", ObjectAttributes=["ETag"])


def test_object_of_another_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    with refused("AccessDenied", 403):
        alice.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ETag"])
