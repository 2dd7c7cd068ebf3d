from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog import SMALL_BODY
from catalog.errors import IsDeleteMarker, NoObject, PreconditionFailed
from catalog.records import User
from gateway.body import Body, ClientDisconnect
from gateway.operations import Context
from gateway.operations.deleting import delete_object
from gateway.operations.objects import get_object, head_object, put_object
from gateway.operations.versioning import put_bucket_versioning
from gateway.s3.errors import S3Error

At = Callable[..., Context]
Do = Callable[..., Any]
Sent = Callable[..., Body]
OnDisk = Callable[[], list[Path]]


@pytest.mark.parametrize("size", [0, 1, 4096, SMALL_BODY, SMALL_BODY + 1, 300_000, 3_000_000])
async def test_what_was_put_comes_back(put: Do, got: Do, md5: Do, on_disk: OnDisk, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    made = await put("k", content)
    found = await got("k")
    assert found["body"] == content
    assert found["content_length"] == size
    assert made["etag"] == found["etag"] == md5(content)
    assert len(on_disk()) == (1 if size > SMALL_BODY else 0)


async def test_headers_metadata_and_tags_come_back(put: Do, got: Do) -> None:
    await put(
        "k",
        b"x",
        cache_control="no-cache",
        content_disposition="inline",
        content_encoding="gzip",
        content_language="en",
        content_type="text/plain",
        expires="tomorrow",
        metadata={"colour": "blue"},
        storage_class="STANDARD_IA",
        tagging="a=1&b=2",
        website_redirect_location="/elsewhere",
    )
    found = await got("k")
    for member, value in {
        "cache_control": "no-cache",
        "content_disposition": "inline",
        "content_encoding": "gzip",
        "content_language": "en",
        "content_type": "text/plain",
        "expires": "tomorrow",
        "metadata": {"colour": "blue"},
        "storage_class": "STANDARD_IA",
        "tag_count": 2,
        "website_redirect_location": "/elsewhere",
        "accept_ranges": "bytes",
    }.items():
        assert found[member] == value


async def test_what_was_not_said(put: Do, got: Do) -> None:
    await put("k", b"x")
    found = await got("k")
    assert found["content_type"] == "binary/octet-stream"
    for member in ("storage_class", "tag_count", "version_id", "metadata"):
        assert found.get(member) is None


async def test_the_default_checksum_is_crc64nvme(put: Do, got: Do) -> None:
    made = await put("k", b"123456789")
    assert made["checksum_crc64_nvme"] == "rosUhgp5mIg="
    assert made["checksum_type"] == "FULL_OBJECT"
    assert "checksum_crc64_nvme" not in await got("k")
    assert (await got("k", checksum_mode="ENABLED"))["checksum_crc64_nvme"] == "rosUhgp5mIg="
    assert "checksum_crc64_nvme" not in await got("k", checksum_mode="ENABLED", range="bytes=0-1")


@pytest.mark.parametrize("size", [9, SMALL_BODY * 2])
async def test_a_body_that_is_not_what_was_promised_leaves_nothing(put: Do, on_disk: OnDisk, at: At, size: int) -> None:
    for promise in ({"content_md5": "AAAAAAAAAAAAAAAAAAAAAA=="}, {"checksum_crc32": "AAAAAA=="}):
        with pytest.raises(S3Error, match="BadDigest"):
            await put("k", b"x" * size, **promise)
    assert on_disk() == []
    with pytest.raises(NoObject):
        await get_object(at(), "b", "k")


async def test_a_client_that_hangs_up_leaves_nothing(at: At, sent: Sent, big: bytes, on_disk: OnDisk) -> None:
    with pytest.raises(ClientDisconnect):
        await put_object(at(), "b", "k", sent(big, fail_after=3_000_000))
    assert on_disk() == []


async def test_a_body_without_length(at: At, sent: Sent) -> None:
    with pytest.raises(S3Error) as refused:
        await put_object(at(), "b", "k", sent(b"x", length=None))
    assert (refused.value.code, refused.value.status) == ("MissingContentLength", 411)


async def test_a_chunked_body_says_its_length_when_it_ends(at: At, sent: Sent, got: Do, on_disk: OnDisk) -> None:
    cx = at()
    cx.request.headers["transfer-encoding"] = "chunked"
    for content in (b"", b"x", bytes(300_000)):
        await put_object(cx, "b", "k", sent(content, length=None))
        assert (await got("k"))["body"] == content
    assert len(on_disk()) == 1


async def test_a_body_over_five_gib(at: At, sent: Sent) -> None:
    with pytest.raises(S3Error) as refused:
        await put_object(at(), "b", "k", sent(b"x", length=5 * 1024**3 + 1))
    assert refused.value.code == "EntityTooLarge"
    assert refused.value.fields["MaxSizeAllowed"] == str(5 * 1024**3)


async def test_an_overwritten_body_is_unlinked(put: Do, big: bytes, on_disk: OnDisk) -> None:
    for _ in range(3):
        await put("k", big)
    assert len(on_disk()) == 1


async def test_of_many_writers_where_nothing_is_one_wins(put: Do, got: Do, big: bytes, on_disk: OnDisk) -> None:
    contents = [bytes([writer]) * size for writer in range(8) for size in (10, SMALL_BODY + writer + 1)]
    came = await asyncio.gather(*(put("k", content, if_none_match="*") for content in contents), return_exceptions=True)
    won = [content for content, result in zip(contents, came, strict=True) if isinstance(result, dict)]
    assert len(won) == 1
    assert all(isinstance(result, dict | PreconditionFailed) for result in came)
    assert (await got("k"))["body"] == won[0]
    assert len(on_disk()) == (len(won[0]) > SMALL_BODY)


async def test_a_write_over_what_is_known(put: Do, got: Do) -> None:
    first = await put("k", b"1")
    await put("k", b"2", if_match=f'"{first["etag"]}"')
    with pytest.raises(PreconditionFailed):
        await put("k", b"3", if_match=first["etag"])
    with pytest.raises(NoObject):
        await put("none", b"3", if_match=first["etag"])
    assert (await got("k"))["body"] == b"2"


async def test_ranges(put: Do, got: Do, big: bytes) -> None:
    await put("small", b"0123456789")
    await put("big", big)
    found = await got("small", range="bytes=2-4")
    assert (found["body"], found["status"], found["content_range"]) == (b"234", 206, "bytes 2-4/10")
    found = await got("big", range="bytes=1000000-5999999")
    assert found["body"] == big[1_000_000:6_000_000]
    assert found["content_length"] == 5_000_000
    assert (await got("big", range="bytes=-7"))["body"] == big[-7:]


async def test_not_modified(put: Do, got: Do) -> None:
    made = await put("k", b"x", cache_control="no-cache")
    found = await got("k", if_none_match=made["etag"])
    assert found["status"] == 304
    assert found["etag"] == made["etag"]
    assert found["cache_control"] == "no-cache"
    assert found["body"] == b""


async def test_a_failed_condition(put: Do, got: Do) -> None:
    await put("k", b"x")
    with pytest.raises(PreconditionFailed):
        await got("k", if_match="x")


async def test_head_says_what_get_says(put: Do, at: At, got: Do, big: bytes) -> None:
    await put("k", big, metadata={"a": "b"}, tagging="a=b")
    for given in ({}, {"range": "bytes=1-2"}, {"part_number": 1}, {"checksum_mode": "ENABLED"}):
        found = await got("k", **given)
        del found["body"]
        assert await head_object(at(), "b", "k", **given) == found


async def test_response_headers_the_caller_wants(put: Do, got: Do, at: At) -> None:
    await put("k", b"x", content_type="text/plain", cache_control="no-cache")
    wanted = {"response_content_type": "text/css", "response_expires": "never"}
    found = await got("k", **wanted)
    assert (found["content_type"], found["expires"], found["cache_control"]) == ("text/css", "never", "no-cache")
    with pytest.raises(S3Error, match="InvalidRequest"):
        await get_object(at(caller=User("", "", "", "")), "b", "k", **wanted)


async def test_a_part_of_an_upload(upload: Do, got: Do, big: bytes) -> None:
    await upload("k", big, b"tail", checksum_algorithm="SHA1")
    found = await got("k", part_number=2, checksum_mode="ENABLED")
    assert (found["body"], found["status"], found["parts_count"]) == (b"tail", 206, 2)
    assert found["content_range"] == f"bytes {len(big)}-{len(big) + 3}/{len(big) + 4}"
    assert (found["checksum_sha1"], found["checksum_type"]) == ("+/XyoodbO7Zbjjsj5swB1YyjBEc=", "COMPOSITE")
    assert (await got("k"))["body"] == big + b"tail"
    assert (await got("k", range=f"bytes={len(big) - 2}-{len(big)}"))["body"] == big[-2:] + b"t"


async def test_a_part_of_an_upload_with_a_checksum_of_the_whole(upload: Do, got: Do, big: bytes) -> None:
    """S3 was seen to say nothing of it then, whoever chose the checksum."""
    for chosen in ({}, {"checksum_algorithm": "CRC64NVME"}):
        await upload("k", big, b"tail", **chosen)
        found = await got("k", part_number=2, checksum_mode="ENABLED")
        assert not {"checksum_type", "checksum_crc64_nvme"} & found.keys()
    assert "checksum_crc64_nvme" in await got("k", range="bytes=0-", checksum_mode="ENABLED")


async def test_versions(put: Do, got: Do, at: At) -> None:
    await put("k", b"0")
    await put_bucket_versioning(at(), "b", {"status": "Enabled"})
    first, second = await put("k", b"1"), await put("k", b"2")
    assert first["version_id"] != second["version_id"]
    assert (await got("k", version_id=first["version_id"]))["body"] == b"1"
    assert (await got("k", version_id="null"))["version_id"] == "null"
    assert (await got("k"))["version_id"] == second["version_id"]
    marker = await delete_object(at(), "b", "k")
    with pytest.raises(NoObject):
        await got("k")
    with pytest.raises(IsDeleteMarker):
        await got("k", version_id=marker["version_id"])


async def test_an_object_overwritten_while_it_is_read(put: Do, at: At, big: bytes) -> None:
    await put("k", big)
    body = (await get_object(at(), "b", "k"))["body"]
    await put("k", b"other")
    assert b"".join([bytes(chunk) async for chunk in body]) == big
    await body.aclose()


async def test_an_object_overwritten_between_look_up_and_opening(
    put: Do, got: Do, big: bytes, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put("k", big)
    cx = at()
    stale = cx.catalog.get(cx.here, "k")
    await put("k", b"newer")
    looked_up = [stale]
    current = cx.catalog.get

    def get(*given: Any) -> Any:
        return looked_up.pop() if looked_up else current(*given)

    monkeypatch.setattr(cx.catalog, "get", get)
    assert (await get_object(cx, "b", "k"))["body"] == b"newer"


async def test_storage_classes_and_acls(put: Do) -> None:
    await put("k", b"x", acl="private")
    with pytest.raises(S3Error, match="AccessControlListNotSupported"):
        await put("k", b"x", acl="public-read")
    with pytest.raises(S3Error, match="InvalidStorageClass"):
        await put("k", b"x", storage_class="OUTPOSTS")
    with pytest.raises(S3Error, match="InvalidRedirectLocation"):
        await put("k", b"x", website_redirect_location="elsewhere")
