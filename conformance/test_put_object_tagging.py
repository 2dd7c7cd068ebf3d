from __future__ import annotations

from typing import Any

import pytest

from conformance.raw import Raw
from conformance.refusals import refused


def put(s3: Any, bucket: str, tags: dict[str, str], **version: str) -> Any:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": listed}, **version)


@pytest.fixture
def tagged(s3: Any, bucket: str) -> str:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body", Metadata={"a": "b"}, Tagging="old=1")
    return bucket


def test_replaces_the_whole_set_and_nothing_else(s3: Any, tagged: str) -> None:
    before = s3.head_object(Bucket=tagged, Key="key")
    put(s3, tagged, {"new": "2", "empty": ""})
    found = s3.get_object_tagging(Bucket=tagged, Key="key")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {"new": "2", "empty": ""}
    after = s3.head_object(Bucket=tagged, Key="key")
    for kept in ("ETag", "LastModified", "Metadata", "ContentLength"):
        assert before[kept] == after[kept]


def test_answers_200_without_body(raw: Raw, tagged: str) -> None:
    body = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    answer = raw.put(f"/{tagged}/key", body, {"tagging": ""})
    assert (answer.status, answer.body) == (200, b"")


def test_ten_tags_of_the_longest_kind(s3: Any, tagged: str) -> None:
    tags = {f"{n:0128}": "v" * 256 for n in range(10)}
    put(s3, tagged, tags)
    found = s3.get_object_tagging(Bucket=tagged, Key="key")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in found} == tags


def test_eleven_tags_are_too_many(s3: Any, tagged: str) -> None:
    with refused("BadRequest", 400):
        put(s3, tagged, {f"k{n}": "v" for n in range(11)})


@pytest.mark.parametrize(
    "tags",
    [{"k" * 129: "v"}, {"k": "v" * 257}, {"aws:reserved": "v"}, {"a,b": "v"}, {"k": "a,b"}],
    ids=["long key", "long value", "aws: key", "comma in key", "comma in value"],
)
def test_tag_against_the_rules_is_refused(s3: Any, tagged: str, tags: dict[str, str]) -> None:
    with refused("InvalidTag", 400):
        put(s3, tagged, tags)
    assert s3.get_object_tagging(Bucket=tagged, Key="key")["TagSet"] == [{"Key": "old", "Value": "1"}]


def test_key_twice_is_refused(s3: Any, tagged: str) -> None:
    tag = {"Key": "twice", "Value": "v"}
    with refused("InvalidTag", 400):
        s3.put_object_tagging(Bucket=tagged, Key="key", Tagging={"TagSet": [tag, tag]})


def test_version_by_id(s3: Any, versioned: str) -> None:
    first = s3.put_object(Bucket=versioned, Key="key", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=versioned, Key="key", Body=b"2")["VersionId"]
    assert put(s3, versioned, {"which": "first"}, VersionId=first)["VersionId"] == first
    assert put(s3, versioned, {"which": "second"})["VersionId"] == second
    for version, value in ((first, "first"), (second, "second")):
        found = s3.get_object_tagging(Bucket=versioned, Key="key", VersionId=version)
        assert found["TagSet"] == [{"Key": "which", "Value": value}]
    assert len(s3.list_object_versions(Bucket=versioned)["Versions"]) == 2


def test_delete_marker_has_no_tags(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    with refused("MethodNotAllowed", 405):
        put(s3, versioned, {"a": "b"})
    with refused("MethodNotAllowed", 405):
        put(s3, versioned, {"a": "b"}, VersionId=marker)


def test_key_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        put(s3, bucket, {"a": "b"})


@pytest.mark.parametrize("body", [b"not xml", b"<Tagging><TagSet><Tag/></TagSet></Tagging>"])
def test_body_that_is_not_a_tag_set_is_refused(raw: Raw, tagged: str, body: bytes) -> None:
    answer = raw.put(f"/{tagged}/key", body, {"tagging": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


@pytest.mark.parametrize("body", [b"<Tagging/>", b"<Tagging><TagSet/></Tagging>"])
def test_no_tags_take_those_away_that_there_are(s3: Any, raw: Raw, tagged: str, body: bytes) -> None:
    assert raw.put(f"/{tagged}/key", body, {"tagging": ""}).status == 200
    assert s3.get_object_tagging(Bucket=tagged, Key="key")["TagSet"] == []


def test_object_of_another_is_forbidden(alice: Any, tagged: str) -> None:
    with refused("AccessDenied", 403):
        put(alice, tagged, {"a": "b"})
