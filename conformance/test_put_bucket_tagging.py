from __future__ import annotations

from typing import Any

import pytest

from conformance.raw import Raw
from conformance.refusals import refused


def put(s3: Any, bucket: str, tags: dict[str, str]) -> Any:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": listed})


def test_answers_204(s3: Any, bucket: str) -> None:
    assert put(s3, bucket, {"a": "b"})["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_replaces_the_whole_set(s3: Any, bucket: str) -> None:
    put(s3, bucket, {"old": "1", "both": "1"})
    put(s3, bucket, {"new": "2", "both": "2"})
    found = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {"new": "2", "both": "2"}


def test_fifty_tags_are_taken(s3: Any, bucket: str) -> None:
    put(s3, bucket, {f"key{n}": "v" for n in range(50)})
    assert len(s3.get_bucket_tagging(Bucket=bucket)["TagSet"]) == 50


def test_fifty_one_tags_are_too_many(s3: Any, bucket: str) -> None:
    with refused("BadRequest", 400):
        put(s3, bucket, {f"key{n}": "v" for n in range(51)})


@pytest.mark.parametrize(
    "tags",
    [{"k" * 129: "v"}, {"k": "v" * 257}, {"aws:reserved": "v"}, {"a,b": "v"}, {"k": "a,b"}],
    ids=["long key", "long value", "aws: key", "comma in key", "comma in value"],
)
def test_tag_against_the_rules_is_refused(s3: Any, bucket: str, tags: dict[str, str]) -> None:
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
    with refused("InvalidTag", 400):
        put(s3, bucket, tags)


def test_reserved_prefix_is_named(s3: Any, bucket: str, new_name: Any) -> None:
    with refused("InvalidTag", 400) as error:
        put(s3, bucket, {"aws:reserved": "v"})
    assert error["Message"] == "System tags cannot be added/updated by requester"
    tags = {"Tags": [{"Key": "aws:reserved", "Value": "v"}]}
    with refused("InvalidTag", 400) as error:
        s3.create_bucket(Bucket=new_name("tagged"), CreateBucketConfiguration=tags)
    assert error["Message"].startswith('User-defined tag keys can\'t start with "aws:".')


def test_key_twice_is_refused(s3: Any, bucket: str) -> None:
    with refused("InvalidTag", 400):
        tag = {"Key": "twice", "Value": "v"}
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [tag, tag]})


@pytest.mark.parametrize(
    "body",
    [
        b"not xml",
        b"<Tagging><TagSet><Tag><Key>no value</Key></Tag></TagSet></Tagging>",
        b"<Tagging><TagSet><Tag><Value>no key</Value></Tag></TagSet></Tagging>",
        b"<Other/>",
    ],
)
def test_body_that_is_not_a_tag_set_is_refused(raw: Raw, bucket: str, body: bytes) -> None:
    answer = raw.put_document(f"/{bucket}", body, {"tagging": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


@pytest.mark.parametrize("body", [b"<Tagging/>", b"<Tagging><TagSet/></Tagging>"])
def test_no_tags_take_those_away_that_there_are(s3: Any, raw: Raw, bucket: str, body: bytes) -> None:
    put(s3, bucket, {"a": "b"})
    assert raw.put_document(f"/{bucket}", body, {"tagging": ""}).status == 204
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=bucket)


def test_digest_of_the_body_is_required(raw: Raw, bucket: str) -> None:
    answer = raw.put(f"/{bucket}", b"<Tagging><TagSet/></Tagging>", {"tagging": ""})
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        put(s3, "there-is-no-such-bucket", {"a": "b"})


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        put(alice, bucket, {"a": "b"})
