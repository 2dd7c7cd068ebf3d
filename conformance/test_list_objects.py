from __future__ import annotations

from typing import Any

import pytest

from conformance.content import etag
from conformance.raw import Raw
from conformance.refusals import refused

KEYS = ["a", "b/1", "b/2", "c", "d/1", "e"]


def keys(answer: Any) -> list[str]:
    return [found["Key"] for found in answer.get("Contents", [])]


def prefixes(answer: Any) -> list[str]:
    return [found["Prefix"] for found in answer.get("CommonPrefixes", [])]


@pytest.fixture
def filled(s3: Any, bucket: str) -> str:
    for key in KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    return bucket


def test_all_in_order(s3: Any, filled: str) -> None:
    answer = s3.list_objects(Bucket=filled)
    assert keys(answer) == KEYS
    assert (answer["Marker"], answer["MaxKeys"], answer["IsTruncated"]) == ("", 1000, False)


def test_elements_are_those_that_aws_sends(raw: Raw, s3: Any, filled: str) -> None:
    answer = raw.get(f"/{filled}", {"prefix": "a"})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}ListBucketResult"
    assert {child.tag.rpartition("}")[2] for child in answer.root} == {
        "Name",
        "Prefix",
        "Marker",
        "MaxKeys",
        "IsTruncated",
        "Contents",
    }
    assert {child.tag.rpartition("}")[2] for child in answer.all("Contents")[0]} == {
        "Key",
        "LastModified",
        "ETag",
        "ChecksumAlgorithm",
        "ChecksumType",
        "Size",
        "Owner",
        "StorageClass",
    }
    assert answer.text("Contents/ETag") == etag(b"a")
    assert answer.text("Contents/Owner/ID") == s3.list_buckets()["Owner"]["ID"]


def test_trailing_slash_after_the_bucket(raw: Raw, filled: str) -> None:
    assert raw.get(f"/{filled}/").texts("Contents/Key") == KEYS


def test_prefix_and_delimiter(s3: Any, filled: str) -> None:
    answer = s3.list_objects(Bucket=filled, Delimiter="/")
    assert (keys(answer), prefixes(answer), answer["Delimiter"]) == (["a", "c", "e"], ["b/", "d/"], "/")
    answer = s3.list_objects(Bucket=filled, Delimiter="/", Prefix="b/")
    assert (keys(answer), prefixes(answer), answer["Prefix"]) == (["b/1", "b/2"], [], "b/")


@pytest.mark.parametrize(
    ("marker", "found"), [("", KEYS), ("b/1", KEYS[2:]), ("b/1x", KEYS[2:]), ("e", []), ("0", KEYS)]
)
def test_marker(s3: Any, filled: str, marker: str, found: list[str]) -> None:
    answer = s3.list_objects(Bucket=filled, Marker=marker)
    assert (keys(answer), answer["Marker"]) == (found, marker)


@pytest.mark.parametrize("marker", ["b/", "b/1"])
def test_marker_within_a_common_prefix_passes_over_it(s3: Any, filled: str, marker: str) -> None:
    answer = s3.list_objects(Bucket=filled, Marker=marker, Delimiter="/")
    assert (prefixes(answer), keys(answer)) == (["d/"], ["c", "e"])


def test_next_marker_comes_with_a_delimiter_only(s3: Any, filled: str) -> None:
    plain = s3.list_objects(Bucket=filled, MaxKeys=2)
    assert plain["IsTruncated"] is True
    assert "NextMarker" not in plain
    assert s3.list_objects(Bucket=filled, MaxKeys=2, Delimiter="/")["NextMarker"] == "b/"
    assert s3.list_objects(Bucket=filled, MaxKeys=3, Delimiter="/")["NextMarker"] == "c"


@pytest.mark.parametrize("size", [1, 2, 3, 6])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_join_to_the_whole(s3: Any, filled: str, size: int, delimiter: str) -> None:
    whole = s3.list_objects(Bucket=filled, Delimiter=delimiter)
    pages = list(
        s3.get_paginator("list_objects").paginate(
            Bucket=filled, Delimiter=delimiter, PaginationConfig={"PageSize": size}
        )
    )
    assert [key for page in pages for key in keys(page)] == keys(whole)
    assert [one for page in pages for one in prefixes(page)] == prefixes(whole)


def test_max_keys_of_none(s3: Any, filled: str) -> None:
    answer = s3.list_objects(Bucket=filled, MaxKeys=0)
    assert (keys(answer), answer["IsTruncated"]) == ([], False)


@pytest.mark.parametrize(
    ("query", "name"),
    [({"max-keys": "-1"}, "maxKeys"), ({"max-keys": "x"}, "max-keys"), ({"encoding-type": "x"}, "encoding-type")],
)
def test_argument_that_cannot_be_is_refused(raw: Raw, bucket: str, query: dict[str, str], name: str) -> None:
    answer = raw.get(f"/{bucket}", query)
    assert (answer.status, answer.code, answer.text("ArgumentName")) == (400, "InvalidArgument", name)


def test_url_encoding(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="ü+/b c")
    query = {"encoding-type": "url", "delimiter": "/", "prefix": "ü+/", "marker": "ü+"}
    answer = raw.get(f"/{bucket}", query)
    assert answer.text("Contents/Key") == "%C3%BC%2B/b+c"
    assert (answer.text("Prefix"), answer.text("Marker")) == ("%C3%BC%2B/", "%C3%BC%2B")


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.list_objects(Bucket="there-is-no-such-bucket")


def test_bucket_of_another_is_forbidden(alice: Any, filled: str) -> None:
    with refused("AccessDenied", 403):
        alice.list_objects(Bucket=filled)
