from __future__ import annotations

from typing import Any

import pytest

from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused


def listed(answer: Any) -> list[tuple[str, str]]:
    return [(upload["Key"], upload["UploadId"]) for upload in answer.get("Uploads", [])]


def begin(s3: Any, bucket: str, *keys: str) -> list[tuple[str, str]]:
    return [(key, Upload.begin(s3, bucket, key).id) for key in keys]


def test_none(s3: Any, bucket: str) -> None:
    answer = s3.list_multipart_uploads(Bucket=bucket)
    assert listed(answer) == []
    assert (answer["IsTruncated"], answer["MaxUploads"]) == (False, 1000)
    assert (answer["KeyMarker"], answer["UploadIdMarker"]) == ("", "")


def test_in_order_of_key_and_then_of_beginning(s3: Any, bucket: str) -> None:
    made = begin(s3, bucket, "b", "a", "b", "c", "b")
    assert listed(s3.list_multipart_uploads(Bucket=bucket)) == sorted(made, key=lambda pair: pair[0])


def test_what_is_said_of_each(s3: Any, bucket: str) -> None:
    Upload.begin(s3, bucket, StorageClass="STANDARD_IA", ChecksumAlgorithm="SHA1")
    (found,) = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert (found["Key"], found["StorageClass"]) == ("key", "STANDARD_IA")
    assert (found["ChecksumAlgorithm"], found["ChecksumType"]) == ("SHA1", "COMPOSITE")
    assert found["Owner"]["ID"] == found["Initiator"]["ID"]
    assert found["Initiated"]


def test_pages_by_both_markers(s3: Any, bucket: str) -> None:
    made = sorted(begin(s3, bucket, "a", "a", "a", "b", "c"), key=lambda pair: pair[0])
    first = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=2)
    assert listed(first) == made[:2]
    assert (first["IsTruncated"], first["NextKeyMarker"], first["NextUploadIdMarker"]) == (True, *made[1])
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [pair for page in pages for pair in listed(page)] == made


def test_key_marker_alone_passes_over_all_uploads_of_the_key(s3: Any, bucket: str) -> None:
    made = begin(s3, bucket, "a", "a", "b")
    assert listed(s3.list_multipart_uploads(Bucket=bucket, KeyMarker="a")) == made[2:]


def test_upload_id_marker_alone_is_overlooked(s3: Any, bucket: str) -> None:
    made = begin(s3, bucket, "a", "b")
    assert listed(s3.list_multipart_uploads(Bucket=bucket, UploadIdMarker=made[0][1])) == made


def test_prefix(s3: Any, bucket: str) -> None:
    made = begin(s3, bucket, "a/1", "a/2", "b/1")
    answer = s3.list_multipart_uploads(Bucket=bucket, Prefix="a/")
    assert (listed(answer), answer["Prefix"]) == (made[:2], "a/")


def test_delimiter(s3: Any, bucket: str) -> None:
    begin(s3, bucket, "a/1", "a/2", "b/1", "c")
    answer = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [key for key, _ in listed(answer)] == ["c"]
    assert [one["Prefix"] for one in answer["CommonPrefixes"]] == ["a/", "b/"]


def test_delimiter_in_pages(s3: Any, bucket: str) -> None:
    begin(s3, bucket, "a/1", "a/2", "b", "c/1", "d")
    seen = []
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}
    )
    for page in pages:
        seen += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
        seen += [key for key, _ in listed(page)]
    assert seen == ["a/", "b", "c/", "d"]


def test_url_encoding(raw: Raw, s3: Any, bucket: str) -> None:
    begin(s3, bucket, "a b/ü+")
    answer = raw.get(f"/{bucket}", {"uploads": "", "encoding-type": "url"})
    assert answer.text("Upload/Key") in ("a+b/%C3%BC%2B", "a%20b/%C3%BC%2B")
    assert answer.text("EncodingType") == "url"


@pytest.mark.parametrize("value", ["-1", "many"])
def test_number_that_cannot_be_is_refused(raw: Raw, bucket: str, value: str) -> None:
    answer = raw.get(f"/{bucket}", {"uploads": "", "max-uploads": value})
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.list_multipart_uploads(Bucket="there-is-no-such-bucket")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.list_multipart_uploads(Bucket=bucket)
