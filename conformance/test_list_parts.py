from __future__ import annotations

from typing import Any

import pytest

from conformance.content import checksum, etag
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused


def numbers(answer: Any) -> list[int]:
    return [part["PartNumber"] for part in answer.get("Parts", [])]


def test_parts_in_order_of_number(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    for number in (300, 2, 10000, 11):
        upload.put(b"x" * number, first=number)
    answer = s3.list_parts(**upload.named)
    assert numbers(answer) == [2, 11, 300, 10000]
    assert [part["Size"] for part in answer["Parts"]] == [2, 11, 300, 10000]
    assert answer["Parts"][0]["ETag"] == etag(b"xx")
    assert (answer["IsTruncated"], answer["MaxParts"], answer["PartNumberMarker"]) == (False, 1000, 0)
    assert answer["NextPartNumberMarker"] == 10000


def test_upload_without_parts(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, StorageClass="STANDARD_IA")
    answer = s3.list_parts(**upload.named)
    assert (answer["Bucket"], answer["Key"], answer["UploadId"]) == (bucket, "key", upload.id)
    assert (answer["StorageClass"], answer["NextPartNumberMarker"]) == ("STANDARD_IA", 0)
    assert answer["Owner"]["ID"] == answer["Initiator"]["ID"]
    assert "Parts" not in answer


def test_pages(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(*[b"part"] * 5)
    first = s3.list_parts(MaxParts=2, **upload.named)
    assert (numbers(first), first["IsTruncated"], first["NextPartNumberMarker"]) == ([1, 2], True, 2)
    pages = s3.get_paginator("list_parts").paginate(PaginationConfig={"PageSize": 2}, **upload.named)
    assert [numbers(page) for page in pages] == [[1, 2], [3, 4], [5]]


def test_marker_past_the_last(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(b"part")
    answer = s3.list_parts(PartNumberMarker=10, **upload.named)
    assert (numbers(answer), answer["IsTruncated"]) == ([], False)


def test_checksums(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="SHA256").put_with_checksum("SHA256", b"part")
    answer = s3.list_parts(**upload.named)
    assert (answer["ChecksumAlgorithm"], answer["ChecksumType"]) == ("SHA256", "COMPOSITE")
    assert answer["Parts"][0]["ChecksumSHA256"] == checksum("SHA256", b"part")


@pytest.mark.parametrize("query", [{"max-parts": "-1"}, {"max-parts": "many"}, {"part-number-marker": "x"}])
def test_number_that_cannot_be_is_refused(raw: Raw, s3: Any, bucket: str, query: dict[str, str]) -> None:
    upload = Upload.begin(s3, bucket)
    answer = raw.get(f"/{bucket}/key", {"uploadId": upload.id} | query)
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_upload_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchUpload", 404):
        s3.list_parts(Bucket=bucket, Key="key", UploadId="none")


def test_upload_of_another_user_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    with refused("AccessDenied", 403):
        alice.list_parts(**upload.named)
