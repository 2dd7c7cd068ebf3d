from __future__ import annotations

import pytest

from catalog.errors import NoObject
from catalog.records import Version
from gateway.operations import Context
from gateway.operations.buckets import create_bucket
from gateway.operations.tagging import (
    delete_bucket_tagging,
    delete_object_tagging,
    get_bucket_tagging,
    get_object_tagging,
    put_bucket_tagging,
    put_object_tagging,
    read_tags,
    tags_of_header,
)
from gateway.operations.versioning import put_bucket_versioning
from gateway.s3.errors import S3Error
from tests.gateway.conftest import ALICE, NewContext

TAGS = [{"key": "b", "value": "2"}, {"key": "a", "value": ""}]


async def made(context: NewContext, versioning: str = "") -> Context:
    await create_bucket(context(), "made")
    if versioning:
        await put_bucket_versioning(context("made"), "made", {"status": versioning})
    return context("made")


async def put(cx: Context, key: str = "key") -> Version:
    draft = Version(0, "", 0, "etag", 1, "STANDARD", ALICE.id)
    return await cx.catalog.put(cx.origin, cx.here, key, draft, b"x")


async def test_object_tags_are_given_back_in_their_order(context: NewContext) -> None:
    cx = await made(context)
    await put(cx)
    assert await get_object_tagging(cx, "made", "key") == {"version_id": None, "tag_set": []}
    assert await put_object_tagging(cx, "made", "key", {"tag_set": TAGS}) == {"version_id": None}
    assert (await get_object_tagging(cx, "made", "key"))["tag_set"] == TAGS
    await delete_object_tagging(cx, "made", "key")
    assert (await get_object_tagging(cx, "made", "key"))["tag_set"] == []


async def test_tags_belong_to_a_version(context: NewContext) -> None:
    cx = await made(context, "Enabled")
    old, new = await put(cx), await put(cx)
    answer = await put_object_tagging(cx, "made", "key", {"tag_set": TAGS}, old.version_id)
    assert answer == {"version_id": old.version_id}
    assert (await get_object_tagging(cx, "made", "key", old.version_id))["tag_set"] == TAGS
    assert await get_object_tagging(cx, "made", "key") == {"version_id": new.version_id, "tag_set": []}


async def test_a_delete_marker_bears_no_tags(context: NewContext) -> None:
    cx = await made(context, "Enabled")
    await put(cx)
    marker = await cx.catalog.delete(cx.origin, cx.here, "key")
    for version_id in (None, marker.version_id):
        with pytest.raises(S3Error, match="MethodNotAllowed"):
            await get_object_tagging(cx, "made", "key", version_id)
        with pytest.raises(S3Error, match="MethodNotAllowed"):
            await put_object_tagging(cx, "made", "key", {"tag_set": TAGS}, version_id)


async def test_an_object_that_is_not_there_bears_none_either(context: NewContext) -> None:
    cx = await made(context)
    with pytest.raises(NoObject):
        await delete_object_tagging(cx, "made", "key")


async def test_bucket_tags(context: NewContext) -> None:
    cx = await made(context)
    with pytest.raises(S3Error, match="NoSuchTagSet"):
        await get_bucket_tagging(cx, "made")
    await put_bucket_tagging(cx, "made", {"tag_set": TAGS})
    assert await get_bucket_tagging(context("made"), "made") == {"tag_set": TAGS}
    await delete_bucket_tagging(cx, "made")
    with pytest.raises(S3Error, match="NoSuchTagSet"):
        await get_bucket_tagging(context("made"), "made")


def pairs(*tags: tuple[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags]


@pytest.mark.parametrize(
    "tags, code",
    [
        (pairs(("a", "1"), ("a", "2")), "InvalidTag"),
        (pairs(("", "1")), "InvalidTag"),
        (pairs(("k" * 129, "1")), "InvalidTag"),
        (pairs(("k", "v" * 257)), "InvalidTag"),
        (pairs(("a,b", "1")), "InvalidTag"),
        (pairs(("a", "1,2")), "InvalidTag"),
        (pairs(("aws:a", "1")), "InvalidTag"),
        (pairs(*((str(number), "") for number in range(11))), "BadRequest"),
    ],
)
def test_tags_against_the_rules(tags: list[dict[str, str]], code: str) -> None:
    with pytest.raises(S3Error, match=code):
        read_tags(tags, 10)


def test_tags_within_the_rules() -> None:
    tags = {"k" * 128: "v" * 256, "ключ +-=._:/@ 1": "", "AWS:": "x"}
    assert read_tags(pairs(*tags.items()), 10) == tags
    assert read_tags([], 10) is None
    assert read_tags(None, 10) is None


def test_tags_of_a_header() -> None:
    assert tags_of_header("a=1&b=&c%20d=%C3%BC+x") == {"a": "1", "b": "", "c d": "ü x"}
    assert list((tags_of_header("b=1&&&a") or {}).items()) == [("a", ""), ("b", "1")]
    assert tags_of_header("") is tags_of_header("&&") is None


@pytest.mark.parametrize("header", ["a=1&a=2", "a=1,b=2", "=", "a&=", "a=%ff"])
def test_a_header_that_is_no_query_is_refused(header: str) -> None:
    with pytest.raises(S3Error, match=r"InvalidArgument|InvalidTag"):
        tags_of_header(header)
