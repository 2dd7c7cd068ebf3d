from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import NoObject, NoUpload, PreconditionFailed
from gateway.blobs import digest
from gateway.operations import Context
from gateway.operations.checksums import encode
from gateway.operations.completing import complete_multipart_upload
from gateway.operations.copying import copy_object, upload_part_copy
from gateway.operations.deleting import delete_object
from gateway.operations.multipart import create_multipart_upload
from gateway.operations.versioning import put_bucket_versioning
from gateway.s3.errors import S3Error

At = Callable[..., Context]
Do = Callable[..., Any]
OnDisk = Callable[[], list[Path]]


@pytest.mark.parametrize("size", [0, 10, 6_000_001])
async def test_a_copy_shares_the_body_and_outlives_its_source(
    at: At, put: Do, got: Do, big: bytes, on_disk: OnDisk, size: int
) -> None:
    made = await put("k", big[:size], metadata={"a": "b"}, tagging="t=1", content_type="text/plain")
    came = await copy_object(at("other"), "other", "copy", "b/k")
    assert came["copy_object_result"]["etag"] == made["etag"]
    assert len(on_disk()) == (size > 10)
    await delete_object(at(), "b", "k")
    found = await got("copy", "other")
    assert found["body"] == big[:size]
    assert (found["metadata"], found["tag_count"], found["content_type"]) == ({"a": "b"}, 1, "text/plain")
    await delete_object(at("other"), "other", "copy")
    assert on_disk() == []


async def test_new_metadata_and_tags(at: At, put: Do, got: Do) -> None:
    await put("k", b"x", metadata={"a": "b"}, tagging="t=1&u=2", content_type="text/plain", cache_control="no-cache")
    await copy_object(
        at(),
        "b",
        "copy",
        "b/k",
        metadata={"c": "d"},
        metadata_directive="REPLACE",
        tagging="v=3",
        tagging_directive="REPLACE",
    )
    found = await got("copy")
    assert (found["metadata"], found["tag_count"], found["content_type"]) == ({"c": "d"}, 1, "binary/octet-stream")
    assert "cache_control" not in found


async def test_what_a_copy_never_takes_over(at: At, put: Do, got: Do) -> None:
    await put("k", b"x", storage_class="STANDARD_IA", website_redirect_location="/a", cache_control="no-cache")
    await copy_object(at(), "b", "copy", "b/k")
    found = await got("copy")
    assert found["storage_class"] is None
    assert "website_redirect_location" not in found
    assert found["cache_control"] == "no-cache"
    await copy_object(at(), "b", "copy", "b/k", website_redirect_location="/b", storage_class="GLACIER_IR")
    found = await got("copy")
    assert (found["website_redirect_location"], found["storage_class"]) == ("/b", "GLACIER_IR")


async def test_a_copy_onto_itself_must_change_something(at: At, put: Do, got: Do, big: bytes, on_disk: OnDisk) -> None:
    await put("k", big)
    with pytest.raises(S3Error, match="copy an object to itself"):
        await copy_object(at(), "b", "k", "b/k")
    await copy_object(at(), "b", "k", "b/k", metadata={"a": "b"}, metadata_directive="REPLACE")
    await copy_object(at(), "b", "k", "b/k", storage_class="STANDARD_IA")
    found = await got("k")
    assert (found["body"] == big, found["metadata"], found["storage_class"]) == (True, {"a": "b"}, "STANDARD_IA")
    assert len(on_disk()) == 1


async def test_an_older_version_brought_back(at: At, put: Do, got: Do) -> None:
    await put_bucket_versioning(at(), "b", {"status": "Enabled"})
    first = await put("k", b"1")
    await put("k", b"2")
    came = await copy_object(at(), "b", "k", f"b/k?versionId={first['version_id']}")
    assert came["copy_source_version_id"] == first["version_id"]
    assert (await got("k"))["body"] == b"1"
    assert (await got("k"))["version_id"] == came["version_id"]


async def test_a_delete_marker_cannot_be_copied(at: At, put: Do) -> None:
    await put_bucket_versioning(at(), "b", {"status": "Enabled"})
    await put("k", b"1")
    marker = await delete_object(at(), "b", "k")
    with pytest.raises(S3Error, match="InvalidRequest"):
        await copy_object(at(), "b", "c", f"b/k?versionId={marker['version_id']}")
    with pytest.raises(NoObject):
        await copy_object(at(), "b", "c", "b/k")


async def test_conditions_at_the_destination(at: At, put: Do, got: Do) -> None:
    await put("k", b"new")
    there = await put("there", b"old")
    with pytest.raises(PreconditionFailed):
        await copy_object(at(), "b", "there", "b/k", if_none_match="*")
    await copy_object(at(), "b", "there", "b/k", if_match=there["etag"])
    assert (await got("there"))["body"] == b"new"


@pytest.mark.parametrize("size", [10, 6_000_001])
async def test_another_checksum(at: At, put: Do, got: Do, big: bytes, size: int) -> None:
    await put("k", big[:size], checksum_crc32=encode(digest("CRC32", big[:size])))
    came = await copy_object(at(), "b", "copy", "b/k", checksum_algorithm="SHA256")
    expected = encode(digest("SHA256", big[:size]))
    assert came["copy_object_result"]["checksum_sha256"] == expected
    assert (await got("copy", checksum_mode="ENABLED"))["checksum_sha256"] == expected


async def test_a_copy_of_an_upload_is_one_object(
    at: At, upload: Do, got: Do, md5: Do, big: bytes, on_disk: OnDisk
) -> None:
    await upload("k", big, b"tail")
    came = await copy_object(at(), "b", "copy", "b/k")
    assert came["copy_object_result"]["etag"] == md5(big + b"tail")
    assert came["copy_object_result"]["checksum_crc64_nvme"] == encode(digest("CRC64NVME", big + b"tail"))
    assert len(on_disk()) == 1
    await delete_object(at(), "b", "k")
    found = await got("copy", part_number=1)
    assert found["body"] == big + b"tail"
    assert "parts_count" not in found


async def test_a_source_too_large(at: At, put: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    await put("k", b"xy")
    monkeypatch.setattr("gateway.operations.copying.MAX_SIZE", 1)
    with pytest.raises(S3Error, match="maximum allowable size for a copy source: 1"):
        await copy_object(at(), "b", "copy", "b/k")


async def test_copies_race_with_writers(at: At, put: Do, got: Do, big: bytes, on_disk: OnDisk) -> None:
    """Whatever comes of a copy is one of the bodies the source had, whole."""
    bodies = [bytes([number]) * 100_000 for number in range(10)]
    await put("k", bodies[0])
    writes = [put("k", body) for body in bodies]
    copies = [copy_object(at(), "b", f"copy{number}", "b/k") for number in range(10)]
    came = await asyncio.gather(*(each for pair in zip(writes, copies, strict=True) for each in pair))
    assert all(came)
    for number in range(10):
        assert (await got(f"copy{number}"))["body"] in bodies
    for number in range(10):
        await delete_object(at(), "b", f"copy{number}")
    assert len(on_disk()) == 1


async def parts_of(at: At, key: str, *sources: tuple[str, str | None]) -> dict[str, Any]:
    upload_id = (await create_multipart_upload(at(), "b", key))["upload_id"]
    named = []
    for number, (source, stretch) in enumerate(sources, 1):
        came = await upload_part_copy(at(), "b", key, source, number, upload_id, copy_source_range=stretch)
        named.append({"part_number": number, "etag": came["copy_part_result"]["etag"]})
    return await complete_multipart_upload(at(), "b", key, upload_id, multipart_upload={"parts": named})


async def test_parts_from_other_objects(
    at: At, put: Do, upload: Do, got: Do, big: bytes, md5: Do, on_disk: OnDisk
) -> None:
    """Shared where the stretch lies in one blob or the log, written anew where it spans parts."""
    await put("big", big)
    await put("small", b"0123456789")
    await upload("parts", big, b"tail")
    assert len(on_disk()) == 2
    await parts_of(
        at, "k", ("b/big", "bytes=7-5999999"), ("b/parts", f"bytes=2-{len(big) + 1}"), ("b/small", "bytes=3-5")
    )
    assert len(on_disk()) == 3
    for key in ("big", "small", "parts"):
        await delete_object(at(), "b", key)
    expected = big[7:6_000_000] + (big + b"tail")[2 : len(big) + 2] + b"345"
    assert (await got("k"))["body"] == expected
    for stretch in (range(5_999_990, 6_000_010), range(len(expected) - 5, len(expected))):
        found = await got("k", range=f"bytes={stretch.start}-{stretch.stop - 1}")
        assert found["body"] == expected[stretch.start : stretch.stop]
    await delete_object(at(), "b", "k")
    assert on_disk() == []


async def test_a_part_for_no_upload(at: At, put: Do) -> None:
    await put("k", b"x")
    with pytest.raises(NoUpload):
        await upload_part_copy(at(), "b", "k", "b/k", 1, "none")
