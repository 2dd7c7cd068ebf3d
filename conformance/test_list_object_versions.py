from __future__ import annotations

from typing import Any

import pytest

from conformance.content import etag
from conformance.raw import Raw
from conformance.refusals import refused

Pair = tuple[str, str]


def pairs(answer: Any, kind: str = "Versions") -> list[Pair]:
    return [(found["Key"], found["VersionId"]) for found in answer.get(kind, [])]


def put(s3: Any, bucket: str, *keys: str) -> list[Pair]:
    """Puts each in turn; returns them newest first within a key, as S3 lists them."""
    made = [(key, s3.put_object(Bucket=bucket, Key=key)["VersionId"]) for key in keys]
    made.reverse()
    return sorted(made, key=lambda pair: pair[0])


def test_newest_first_within_a_key(s3: Any, versioned: str) -> None:
    made = put(s3, versioned, "b", "a", "b", "c", "a", "a")
    answer = s3.list_object_versions(Bucket=versioned)
    assert pairs(answer) == made
    latest = [found["Key"] for found in answer["Versions"] if found["IsLatest"]]
    assert latest == ["a", "b", "c"]
    assert [found["IsLatest"] for found in answer["Versions"]] == [True, False, False, True, False, True]


def test_elements_are_those_that_aws_sends(raw: Raw, s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key", Body=b"body")
    s3.delete_object(Bucket=versioned, Key="key")
    answer = raw.get(f"/{versioned}", {"versions": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}ListVersionsResult"
    version, marker = answer.all("Version")[0], answer.all("DeleteMarker")[0]
    assert {child.tag.rpartition("}")[2] for child in version} == {
        "Key",
        "VersionId",
        "IsLatest",
        "LastModified",
        "ETag",
        "ChecksumAlgorithm",
        "ChecksumType",
        "Size",
        "Owner",
        "StorageClass",
    }
    assert {child.tag.rpartition("}")[2] for child in marker} == {
        "Key",
        "VersionId",
        "IsLatest",
        "LastModified",
        "Owner",
    }
    assert (answer.text("Version/ETag"), answer.text("Version/IsLatest")) == (etag(b"body"), "false")
    assert answer.text("DeleteMarker/IsLatest") == "true"


def test_versions_and_markers_share_one_order(raw: Raw, s3: Any, versioned: str) -> None:
    for key in ("a", "b"):
        s3.put_object(Bucket=versioned, Key=key)
        s3.delete_object(Bucket=versioned, Key=key)
    answer = raw.get(f"/{versioned}", {"versions": ""})
    order = [child.tag.rpartition("}")[2] for child in answer.root]
    assert [tag for tag in order if tag in ("Version", "DeleteMarker")] == ["DeleteMarker", "Version"] * 2


def test_unversioned_objects_are_null_versions(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    (found,) = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert (found["VersionId"], found["IsLatest"]) == ("null", True)


def test_null_version_stands_where_it_was_written(s3: Any, bucket: str) -> None:
    def status(name: str) -> None:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": name})

    status("Enabled")
    first = s3.put_object(Bucket=bucket, Key="key")["VersionId"]
    status("Suspended")
    s3.put_object(Bucket=bucket, Key="key")
    status("Enabled")
    last = s3.put_object(Bucket=bucket, Key="key")["VersionId"]
    assert [version for _, version in pairs(s3.list_object_versions(Bucket=bucket))] == [last, "null", first]


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_pages_join_to_the_whole(s3: Any, versioned: str, size: int) -> None:
    made = put(s3, versioned, "a", "a", "b", "a", "c", "b")
    s3.delete_object(Bucket=versioned, Key="b")
    pages = list(
        s3.get_paginator("list_object_versions").paginate(Bucket=versioned, PaginationConfig={"PageSize": size})
    )
    assert [pair for page in pages for pair in pairs(page)] == made
    assert [key for page in pages for key, _ in pairs(page, "DeleteMarkers")] == ["b"]
    assert all(len(pairs(page)) + len(pairs(page, "DeleteMarkers")) == size for page in pages[:-1])


def test_next_markers_name_the_last_shown(s3: Any, versioned: str) -> None:
    made = put(s3, versioned, "a", "a", "b")
    answer = s3.list_object_versions(Bucket=versioned, MaxKeys=1)
    assert (answer["IsTruncated"], answer["NextKeyMarker"], answer["NextVersionIdMarker"]) == (True, *made[0])


def test_key_marker_alone_passes_over_all_versions_of_the_key(s3: Any, versioned: str) -> None:
    made = put(s3, versioned, "a", "a", "b")
    assert pairs(s3.list_object_versions(Bucket=versioned, KeyMarker="a")) == made[2:]


def test_version_marker_without_key_marker_is_refused(s3: Any, versioned: str) -> None:
    (made,) = put(s3, versioned, "a")
    with refused("InvalidArgument", 400) as error:
        s3.list_object_versions(Bucket=versioned, VersionIdMarker=made[1])
    assert error["ArgumentName"] == "version-id-marker"


def test_prefix_and_delimiter(s3: Any, versioned: str) -> None:
    made = put(s3, versioned, "a/1", "a/1", "a/2", "b", "c/1")
    s3.delete_object(Bucket=versioned, Key="d/gone")
    answer = s3.list_object_versions(Bucket=versioned, Delimiter="/")
    assert pairs(answer) == [pair for pair in made if pair[0] == "b"]
    assert [one["Prefix"] for one in answer["CommonPrefixes"]] == ["a/", "c/", "d/"]
    answer = s3.list_object_versions(Bucket=versioned, Prefix="a/")
    assert pairs(answer) == made[:3]


@pytest.mark.parametrize("size", [1, 2])
def test_delimiter_in_pages(s3: Any, versioned: str, size: int) -> None:
    put(s3, versioned, "a/1", "a/1", "b", "c/1", "d", "d")
    seen: list[str] = []
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=versioned, Delimiter="/", PaginationConfig={"PageSize": size}
    ):
        seen += sorted([one["Prefix"] for one in page.get("CommonPrefixes", [])] + [key for key, _ in pairs(page)])
    assert seen == ["a/", "b", "c/", "d", "d"]


def test_url_encoding(raw: Raw, s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="ü+ b")
    answer = raw.get(f"/{versioned}", {"versions": "", "encoding-type": "url"})
    assert answer.text("Version/Key") == "%C3%BC%2B+b"


@pytest.mark.parametrize("query", [{"max-keys": "-1"}, {"max-keys": "x"}, {"encoding-type": "x"}])
def test_argument_that_cannot_be_is_refused(raw: Raw, bucket: str, query: dict[str, str]) -> None:
    answer = raw.get(f"/{bucket}", {"versions": ""} | query)
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.list_object_versions(Bucket="there-is-no-such-bucket")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.list_object_versions(Bucket=bucket)
