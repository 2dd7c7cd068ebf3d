from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalog.errors import NoObject
from gateway.operations import Context
from gateway.operations.attributes import get_object_attributes

At = Callable[..., Context]
Do = Callable[..., Any]
ALL = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]


async def test_an_object_put_whole(at: At, put: Do) -> None:
    made = await put("k", b"123456789")
    came = await get_object_attributes(at(), "b", "k", ALL)
    assert came["last_modified"] > 0
    assert came["etag"] == made["etag"]
    assert came["checksum"] == {"checksum_crc64_nvme": "rosUhgp5mIg=", "checksum_type": "FULL_OBJECT"}
    assert (came["object_parts"], came["storage_class"], came["object_size"]) == (None, "STANDARD", 9)


async def test_only_what_was_asked_for(at: At, put: Do) -> None:
    await put("k", b"x")
    came = await get_object_attributes(at(), "b", "k", ["ObjectSize"])
    assert came.keys() == {"last_modified", "version_id", "object_size"}


async def test_the_parts_page_by_page(at: At, upload: Do, big: bytes) -> None:
    await upload("k", big, big, b"tail", checksum_algorithm="SHA256")
    parts = (await get_object_attributes(at(), "b", "k", ALL))["object_parts"]
    assert (parts["total_parts_count"], parts["is_truncated"], parts["next_part_number_marker"]) == (3, False, 3)
    assert [(part["part_number"], part["size"]) for part in parts["parts"]] == [(1, len(big)), (2, len(big)), (3, 4)]
    assert parts["parts"][2]["checksum_sha256"] == "DGL4du8d6oMN6fMsL0tG3W101Q0ViW4J71ovzUrH4dc="
    parts = (await get_object_attributes(at(), "b", "k", ALL, max_parts=1, part_number_marker=1))["object_parts"]
    assert [part["part_number"] for part in parts["parts"]] == [2]
    assert (parts["is_truncated"], parts["part_number_marker"], parts["next_part_number_marker"]) == (True, 1, 2)
    assert parts["max_parts"] == 1


async def test_parts_that_the_checksum_is_not_made_of_are_only_counted(at: At, upload: Do, big: bytes) -> None:
    await upload("k", big, b"tail")
    parts = (await get_object_attributes(at(), "b", "k", ALL))["object_parts"]
    assert parts == {"total_parts_count": 2}


async def test_no_such_object(at: At) -> None:
    with pytest.raises(NoObject):
        await get_object_attributes(at(), "b", "k", ALL)
