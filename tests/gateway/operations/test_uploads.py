from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalog.errors import NoUpload
from gateway.body import Body
from gateway.operations import Context
from gateway.operations.multipart import create_multipart_upload, upload_part
from gateway.operations.uploads import list_multipart_uploads, list_parts

At = Callable[..., Context]


async def begin(at: At, key: str, **given: Any) -> str:
    upload_id: str = (await create_multipart_upload(at(), "b", key, **given))["upload_id"]
    return upload_id


async def test_parts_page_by_page(at: At, sent: Callable[..., Body], md5: Callable[[bytes], str]) -> None:
    upload_id = await begin(at, "k", storage_class="STANDARD_IA")
    for number in (1, 3, 5):
        await upload_part(at(), "b", "k", sent(b"x" * number), number, upload_id)
    page = await list_parts(at(), "b", "k", upload_id, max_parts=2)
    assert [(part["part_number"], part["size"]) for part in page["parts"]] == [(1, 1), (3, 3)]
    assert (page["is_truncated"], page["part_number_marker"], page["next_part_number_marker"]) == (True, 0, 3)
    assert (page["max_parts"], page["storage_class"]) == (2, "STANDARD_IA")
    page = await list_parts(at(), "b", "k", upload_id, part_number_marker=3)
    (part,) = page["parts"]
    assert part.pop("last_modified") > 0
    assert part == {"part_number": 5, "size": 5, "etag": md5(b"xxxxx")}
    assert (page["is_truncated"], page["next_part_number_marker"], page["max_parts"]) == (False, 5, 1000)
    assert page["owner"] == page["initiator"] == {"id": "a" * 64}


async def test_parts_with_the_checksum_of_the_uploads_choice(at: At, sent: Callable[..., Body]) -> None:
    upload_id = await begin(at, "k", checksum_algorithm="CRC64NVME")
    await upload_part(at(), "b", "k", sent(b"123456789"), 1, upload_id)
    page = await list_parts(at(), "b", "k", upload_id)
    assert page["parts"][0]["checksum_crc64_nvme"] == "rosUhgp5mIg="
    assert (page["checksum_algorithm"], page["checksum_type"]) == ("CRC64NVME", "FULL_OBJECT")


async def test_an_upload_without_parts(at: At) -> None:
    page = await list_parts(at(), "b", "k", await begin(at, "k"))
    assert (page["parts"], page["is_truncated"], page["next_part_number_marker"]) == ([], False, 0)


async def test_no_such_upload(at: At) -> None:
    with pytest.raises(NoUpload):
        await list_parts(at(), "b", "k", "none")


async def test_uploads_page_by_page(at: At) -> None:
    ids = {key: [await begin(at, key), await begin(at, key)] for key in ("a", "b")}
    seen: list[tuple[str, str]] = []
    given: dict[str, Any] = {}
    while True:
        page = await list_multipart_uploads(at(), "b", max_uploads=1, **given)
        seen += [(each["key"], each["upload_id"]) for each in page["uploads"]]
        if not page["is_truncated"]:
            break
        given = {"key_marker": page["next_key_marker"], "upload_id_marker": page["next_upload_id_marker"]}
    assert sorted(seen) == sorted((key, upload_id) for key, both in ids.items() for upload_id in both)
    assert [key for key, _ in seen] == ["a", "a", "b", "b"]


async def test_uploads_under_a_prefix(at: At) -> None:
    for key in ("a/1", "a/2", "b c", "d"):
        await begin(at, key)
    page = await list_multipart_uploads(at(), "b", delimiter="/", encoding_type="url")
    assert [each["key"] for each in page["uploads"]] == ["b+c", "d"]
    assert page["common_prefixes"] == b"<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"
    page = await list_multipart_uploads(at(), "b", prefix="a/")
    assert [each["key"] for each in page["uploads"]] == ["a/1", "a/2"]
