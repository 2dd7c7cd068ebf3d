from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import NoObject, PreconditionFailed
from gateway.operations import Context
from gateway.operations.deleting import delete_object, delete_objects
from gateway.operations.versioning import put_bucket_versioning
from gateway.s3.errors import S3Error

At = Callable[..., Context]
Do = Callable[..., Any]


async def test_what_is_deleted_is_gone(put: Do, got: Do, at: At, big: bytes, on_disk: Callable[[], list[Path]]) -> None:
    await put("k", big)
    assert await delete_object(at(), "b", "k") == {"delete_marker": None, "version_id": None}
    assert on_disk() == []
    with pytest.raises(NoObject):
        await got("k")


async def test_deleting_what_is_not_there(at: At) -> None:
    assert await delete_object(at(), "b", "k") == {"delete_marker": None, "version_id": None}


async def test_a_delete_under_a_condition(put: Do, got: Do, at: At) -> None:
    made = await put("k", b"x")
    with pytest.raises(PreconditionFailed):
        await delete_object(at(), "b", "k", if_match='"other"')
    assert (await got("k"))["body"] == b"x"
    await delete_object(at(), "b", "k", if_match=made["etag"])
    with pytest.raises(NoObject):
        await delete_object(at(), "b", "k", if_match=made["etag"])


async def test_delete_markers(put: Do, got: Do, at: At) -> None:
    await put_bucket_versioning(at(), "b", {"status": "Enabled"})
    made = await put("k", b"x")
    marker = await delete_object(at(), "b", "k")
    assert marker["delete_marker"]
    ended = await delete_object(at(), "b", "k", version_id=marker["version_id"])
    assert ended == marker
    assert (await got("k"))["version_id"] == made["version_id"]
    ended = await delete_object(at(), "b", "k", version_id=made["version_id"])
    assert ended == {"delete_marker": None, "version_id": made["version_id"]}


async def test_many_at_once(put: Do, at: At) -> None:
    for key in ("a", "b", "c"):
        await put(key, b"x")
    named = [{"key": "a"}, {"key": "none"}, {"key": "b", "etag": "other"}, {"key": "k" * 1025}]
    came = await delete_objects(at(), "b", {"objects": named})
    assert [each["key"] for each in came["deleted"]] == ["a", "none"]
    assert {each["key"]: each["code"] for each in came["errors"]} == {
        "b": "PreconditionFailed",
        "k" * 1025: "KeyTooLongError",
    }
    came = await delete_objects(at(), "b", {"objects": [{"key": "c"}, {"key": "b", "etag": "other"}], "quiet": True})
    assert came["deleted"] == []
    assert [each["key"] for each in came["errors"]] == ["b"]


async def test_many_versions_at_once(put: Do, at: At) -> None:
    await put_bucket_versioning(at(), "b", {"status": "Enabled"})
    made = await put("k", b"x")
    (marked,) = (await delete_objects(at(), "b", {"objects": [{"key": "k"}]}))["deleted"]
    assert marked["delete_marker"]
    assert marked["version_id"] is None
    named = [
        {"key": "k", "version_id": made["version_id"]},
        {"key": "k", "version_id": marked["delete_marker_version_id"]},
    ]
    version, marker = (await delete_objects(at(), "b", {"objects": named}))["deleted"]
    assert version == {"key": "k", "version_id": made["version_id"]}
    assert marker["delete_marker"]
    assert marker["version_id"] == marker["delete_marker_version_id"] == marked["delete_marker_version_id"]


async def test_an_id_that_cannot_be_is_a_version_that_is_not_there(at: At) -> None:
    came = await delete_objects(at(), "b", {"objects": [{"key": "k", "version_id": "nonsense"}]})
    assert [(each["code"], each["version_id"]) for each in came["errors"]] == [("NoSuchVersion", "nonsense")]


async def test_a_key_without_a_name(at: At) -> None:
    with pytest.raises(S3Error, match="MalformedXML"):
        await delete_objects(at(), "b", {"objects": [{"key": ""}]})


@pytest.mark.parametrize("count", [0, 1001])
async def test_none_and_too_many(at: At, count: int) -> None:
    with pytest.raises(S3Error, match="MalformedXML"):
        await delete_objects(at(), "b", {"objects": [{"key": str(each)} for each in range(count)]})
