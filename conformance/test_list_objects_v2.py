from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from conformance.content import checksum, etag
from conformance.raw import Raw
from conformance.refusals import refused

KEYS = ["a", "b/1", "b/2", "b/c/1", "c", "d/1", "e"]


def fill(s3: Any, bucket: str, keys: Iterable[str] = KEYS) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())


def keys(answer: Any) -> list[str]:
    return [found["Key"] for found in answer.get("Contents", [])]


def prefixes(answer: Any) -> list[str]:
    return [found["Prefix"] for found in answer.get("CommonPrefixes", [])]


@pytest.fixture
def filled(s3: Any, bucket: str) -> str:
    fill(s3, bucket)
    return bucket


def test_all_in_order(s3: Any, filled: str) -> None:
    answer = s3.list_objects_v2(Bucket=filled)
    assert keys(answer) == KEYS
    assert (answer["KeyCount"], answer["MaxKeys"], answer["IsTruncated"]) == (7, 1000, False)
    assert (answer["Name"], answer["Prefix"]) == (filled, "")
    assert "NextContinuationToken" not in answer


def test_empty_bucket(s3: Any, bucket: str) -> None:
    answer = s3.list_objects_v2(Bucket=bucket)
    assert (answer["KeyCount"], answer["IsTruncated"]) == (0, False)
    assert "Contents" not in answer


def test_elements_are_those_that_aws_sends(raw: Raw, filled: str) -> None:
    answer = raw.get(f"/{filled}", {"list-type": "2", "prefix": "a"})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}ListBucketResult"
    assert [child.tag.rpartition("}")[2] for child in answer.all("Contents")[0]] == [
        "Key",
        "LastModified",
        "ETag",
        "ChecksumAlgorithm",
        "ChecksumType",
        "Size",
        "StorageClass",
    ]
    assert {child.tag.rpartition("}")[2] for child in answer.root} == {
        "Name",
        "Prefix",
        "KeyCount",
        "MaxKeys",
        "IsTruncated",
        "Contents",
    }
    assert answer.text("Contents/ETag") == etag(b"a")
    assert (answer.text("Contents/LastModified") or "").endswith(".000Z")


def test_what_is_said_of_each(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"12345", ChecksumAlgorithm="CRC32C")
    assert put["ChecksumCRC32C"] == checksum("CRC32C", b"12345")
    (found,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    head = s3.head_object(Bucket=bucket, Key="key")
    assert found == {
        "Key": "key",
        "Size": 5,
        "ETag": etag(b"12345"),
        "LastModified": head["LastModified"],
        "StorageClass": "STANDARD",
        "ChecksumAlgorithm": ["CRC32C"],
        "ChecksumType": "FULL_OBJECT",
    }


def test_owner_comes_when_asked_for(s3: Any, filled: str) -> None:
    owner = s3.list_buckets()["Owner"]
    found = s3.list_objects_v2(Bucket=filled, FetchOwner=True)["Contents"]
    assert all(one["Owner"] == owner for one in found)
    assert "Owner" not in s3.list_objects_v2(Bucket=filled)["Contents"][0]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [("", KEYS), ("b", KEYS[1:4]), ("b/", KEYS[1:4]), ("b/c", KEYS[3:4]), ("b/1", ["b/1"]), ("x", []), ("/", [])],
)
def test_prefix(s3: Any, filled: str, prefix: str, found: list[str]) -> None:
    answer = s3.list_objects_v2(Bucket=filled, Prefix=prefix)
    assert (keys(answer), answer["Prefix"]) == (found, prefix)


@pytest.mark.parametrize(
    ("options", "found", "common"),
    [
        ({"Delimiter": "/"}, ["a", "c", "e"], ["b/", "d/"]),
        ({"Delimiter": "/", "Prefix": "b/"}, ["b/1", "b/2"], ["b/c/"]),
        ({"Delimiter": "/", "Prefix": "b"}, [], ["b/"]),
        ({"Delimiter": "/", "Prefix": "b/c/"}, ["b/c/1"], []),
        ({"Delimiter": "1"}, ["a", "b/2", "c", "e"], ["b/1", "b/c/1", "d/1"]),
        ({"Delimiter": "/c"}, ["a", "b/1", "b/2", "c", "d/1", "e"], ["b/c"]),
        ({"Delimiter": "not in any"}, KEYS, []),
        ({"Delimiter": ""}, KEYS, []),
    ],
    ids=str,
)
def test_delimiter(s3: Any, filled: str, options: Any, found: list[str], common: list[str]) -> None:
    answer = s3.list_objects_v2(Bucket=filled, **options)
    assert (keys(answer), prefixes(answer)) == (found, common)
    assert answer["KeyCount"] == len(found) + len(common)


def test_delimiter_that_keys_begin_and_end_with(s3: Any, bucket: str) -> None:
    fill(s3, bucket, ["/", "//", "/a", "a", "a/", "a//b", "a/b"])
    answer = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert (keys(answer), prefixes(answer)) == (["a"], ["/", "a/"])
    answer = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="a/")
    assert (keys(answer), prefixes(answer)) == (["a/", "a/b"], ["a//"])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("delimiter", ["", "/", "1"])
def test_pages_join_to_the_whole(s3: Any, filled: str, size: int, delimiter: str) -> None:
    whole = s3.list_objects_v2(Bucket=filled, Delimiter=delimiter)
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(
            Bucket=filled, Delimiter=delimiter, PaginationConfig={"PageSize": size}
        )
    )
    assert [key for page in pages for key in keys(page)] == keys(whole)
    assert [one for page in pages for one in prefixes(page)] == prefixes(whole)
    assert all(page["KeyCount"] == size and page["IsTruncated"] for page in pages[:-1])
    assert all(page["ContinuationToken"] for page in pages[1:])


def test_max_keys_of_just_what_is_there_is_not_truncated(s3: Any, filled: str) -> None:
    answer = s3.list_objects_v2(Bucket=filled, MaxKeys=7)
    assert answer["IsTruncated"] is False
    answer = s3.list_objects_v2(Bucket=filled, MaxKeys=5, Delimiter="/")
    assert answer["IsTruncated"] is False


def test_max_keys_of_none(s3: Any, filled: str) -> None:
    answer = s3.list_objects_v2(Bucket=filled, MaxKeys=0)
    assert (keys(answer), answer["IsTruncated"], answer["MaxKeys"]) == ([], False, 0)


def test_max_keys_above_a_thousand_means_a_thousand(s3: Any, bucket: str, new_name: Callable[[str], str]) -> None:
    many = new_name("many")
    s3.create_bucket(Bucket=many)
    fill(s3, many, [f"{n:04}" for n in range(1001)])
    answer = s3.list_objects_v2(Bucket=many, MaxKeys=5000)
    assert (answer["MaxKeys"], answer["KeyCount"], answer["IsTruncated"]) == (1000, 1000, True)
    rest = s3.list_objects_v2(Bucket=many, ContinuationToken=answer["NextContinuationToken"])
    assert keys(rest) == ["1000"]


@pytest.mark.parametrize("value", ["-1", "many", "1.5", "2147483648"])
def test_max_keys_that_cannot_be_is_refused(raw: Raw, bucket: str, value: str) -> None:
    answer = raw.get(f"/{bucket}", {"list-type": "2", "max-keys": value})
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert answer.text("ArgumentName") in ("max-keys", "maxKeys")


@pytest.mark.parametrize(
    ("after", "found"),
    [("a", KEYS[1:]), ("0", KEYS), ("b/1", KEYS[2:]), ("b/1x", KEYS[2:]), ("e", []), ("zz", [])],
)
def test_start_after(s3: Any, filled: str, after: str, found: list[str]) -> None:
    answer = s3.list_objects_v2(Bucket=filled, StartAfter=after)
    assert (keys(answer), answer["StartAfter"]) == (found, after)


def test_start_after_inside_a_common_prefix_still_shows_it(s3: Any, filled: str) -> None:
    answer = s3.list_objects_v2(Bucket=filled, StartAfter="b/1", Delimiter="/")
    assert (prefixes(answer), keys(answer)) == (["b/", "d/"], ["c", "e"])


def test_start_after_is_for_the_first_page_only(s3: Any, filled: str) -> None:
    first = s3.list_objects_v2(Bucket=filled, StartAfter="a", MaxKeys=2)
    token = first["NextContinuationToken"]
    rest = s3.list_objects_v2(Bucket=filled, StartAfter="e", ContinuationToken=token)
    assert keys(first) + keys(rest) == KEYS[1:]
    assert rest["StartAfter"] == "e"


def test_token_that_was_never_given_is_refused(raw: Raw, bucket: str) -> None:
    answer = raw.get(f"/{bucket}", {"list-type": "2", "continuation-token": "no such token"})
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert answer.text("ArgumentName") == "continuation-token"


def test_empty_token_begins_anew(s3: Any, filled: str) -> None:
    assert keys(s3.list_objects_v2(Bucket=filled, ContinuationToken="")) == KEYS


def test_changes_between_pages_are_seen_ahead_only(s3: Any, filled: str) -> None:
    first = s3.list_objects_v2(Bucket=filled, MaxKeys=3)
    s3.delete_object(Bucket=filled, Key="b/2")
    s3.delete_object(Bucket=filled, Key="c")
    fill(s3, filled, ["aa", "f"])
    rest = s3.list_objects_v2(Bucket=filled, ContinuationToken=first["NextContinuationToken"])
    assert keys(rest) == ["b/c/1", "d/1", "e", "f"]


ODD = ["a b", "a&b<c>", "a+b", "new\nline", "tab\t", "\x01control", "é", "日本", "😀", "%41", '"quoted"', "back\\slash"]


def test_odd_keys_in_order_of_their_bytes(s3: Any, bucket: str) -> None:
    fill(s3, bucket, ODD)
    assert keys(s3.list_objects_v2(Bucket=bucket)) == sorted(ODD, key=str.encode)


def test_url_encoding_is_applied_to_all_that_holds_keys(raw: Raw, s3: Any, bucket: str) -> None:
    fill(s3, bucket, ["ü+/a", "ü+/b c"])
    query = {"list-type": "2", "encoding-type": "url", "prefix": "ü+", "delimiter": "/", "start-after": "ü*"}
    answer = raw.get(f"/{bucket}", query)
    assert answer.text("EncodingType") == "url"
    assert answer.text("CommonPrefixes/Prefix") == "%C3%BC%2B/"
    assert (answer.text("Prefix"), answer.text("Delimiter")) == ("%C3%BC%2B", "/")
    assert answer.text("StartAfter") in ("%C3%BC*", "%C3%BC%2A")
    answer = raw.get(f"/{bucket}", {"list-type": "2", "encoding-type": "url"})
    assert answer.texts("Contents/Key") == ["%C3%BC%2B/a", "%C3%BC%2B/b+c"]


@pytest.mark.parametrize("value", ["", "base64"])
def test_encoding_that_is_none_is_refused(raw: Raw, bucket: str, value: str) -> None:
    answer = raw.get(f"/{bucket}", {"list-type": "2", "encoding-type": value})
    assert (answer.status, answer.code, answer.text("ArgumentName")) == (400, "InvalidArgument", "encoding-type")


def test_list_type_that_is_none_is_refused(raw: Raw, bucket: str) -> None:
    answer = raw.get(f"/{bucket}", {"list-type": "3"})
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_versioned_shows_current_versions_only(s3: Any, versioned: str) -> None:
    for body in (b"1", b"22"):
        s3.put_object(Bucket=versioned, Key="kept", Body=body)
    s3.put_object(Bucket=versioned, Key="deleted")
    s3.delete_object(Bucket=versioned, Key="deleted")
    (found,) = s3.list_objects_v2(Bucket=versioned)["Contents"]
    assert (found["Key"], found["Size"]) == ("kept", 2)


def test_neighbour_buckets_do_not_leak(s3: Any, new_name: Callable[[str], str]) -> None:
    first, second = new_name("next"), new_name("next")
    for name in (first, second):
        s3.create_bucket(Bucket=name)
        fill(s3, name, [name])
    for name in (first, second):
        assert keys(s3.list_objects_v2(Bucket=name)) == [name]


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404) as error:
        s3.list_objects_v2(Bucket="there-is-no-such-bucket")
    assert error["BucketName"] == "there-is-no-such-bucket"


def test_bucket_of_another_is_forbidden(alice: Any, filled: str) -> None:
    with refused("AccessDenied", 403):
        alice.list_objects_v2(Bucket=filled)
