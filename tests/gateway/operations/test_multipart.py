from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import NoUpload, PreconditionFailed
from gateway.blobs import digest
from gateway.body import Body, ClientDisconnect
from gateway.operations import Context
from gateway.operations.checksums import encode
from gateway.operations.multipart import abort_multipart_upload, create_multipart_upload, upload_part
from gateway.s3.errors import S3Error

At = Callable[..., Context]
Do = Callable[..., Any]
Sent = Callable[..., Body]
OnDisk = Callable[[], list[Path]]


@pytest.fixture
def begun(at: At) -> Do:
    async def begun(**given: Any) -> str:
        upload_id: str = (await create_multipart_upload(at(), "b", "k", **given))["upload_id"]
        return upload_id

    return begun


async def test_an_upload_says_what_checksum_it_will_have(at: At) -> None:
    came = await create_multipart_upload(at(), "b", "k", checksum_algorithm="CRC32")
    assert (came["bucket"], came["key"]) == ("b", "k")
    assert (came["checksum_algorithm"], came["checksum_type"]) == ("CRC32", "COMPOSITE")
    came = await create_multipart_upload(at(), "b", "k")
    assert (came["checksum_algorithm"], came["checksum_type"]) == (None, None)


async def test_a_part_gets_the_default_checksum(at: At, begun: Do, sent: Sent, md5: Do) -> None:
    came = await upload_part(at(), "b", "k", sent(b"x"), 1, await begun())
    assert came == {"etag": md5(b"x"), "checksum_crc64_nvme": encode(digest("CRC64NVME", b"x"))}


async def test_a_part_with_a_checksum_in_an_upload_without(at: At, begun: Do, sent: Sent) -> None:
    given = {"checksum_crc32": encode(digest("CRC32", b"x"))}
    came = await upload_part(at(), "b", "k", sent(b"x"), 1, await begun(), **given)
    assert came["checksum_crc32"] == given["checksum_crc32"]
    with pytest.raises(S3Error, match="BadDigest"):
        await upload_part(at(), "b", "k", sent(b"y"), 1, await begun(), **given)


async def test_a_part_needs_the_checksum_of_its_upload(at: At, begun: Do, sent: Sent) -> None:
    upload_id = await begun(checksum_algorithm="SHA256")
    with pytest.raises(S3Error, match="expected checksum Type: sha256, actual checksum Type: null"):
        await upload_part(at(), "b", "k", sent(b"x"), 1, upload_id)
    with pytest.raises(S3Error, match="expected checksum Type: sha256, actual checksum Type: crc32"):
        await upload_part(at(), "b", "k", sent(b"x"), 1, upload_id, checksum_crc32=encode(digest("CRC32", b"x")))
    upload_id = await begun(checksum_algorithm="CRC32", checksum_type="FULL_OBJECT")
    came = await upload_part(at(), "b", "k", sent(b"x"), 1, upload_id)
    assert came["checksum_crc32"] == encode(digest("CRC32", b"x"))


async def test_a_part_takes_the_place_of_an_earlier_one(
    at: At, begun: Do, sent: Sent, big: bytes, on_disk: OnDisk
) -> None:
    upload_id = await begun()
    for _ in range(2):
        await upload_part(at(), "b", "k", sent(big), 1, upload_id)
    assert len(on_disk()) == 1


async def test_an_aborted_upload_leaves_nothing(at: At, begun: Do, sent: Sent, big: bytes, on_disk: OnDisk) -> None:
    upload_id = await begun()
    await upload_part(at(), "b", "k", sent(big), 1, upload_id)
    assert await abort_multipart_upload(at(), "b", "k", upload_id) is None
    assert on_disk() == []
    with pytest.raises(NoUpload):
        await abort_multipart_upload(at(), "b", "k", upload_id)
    with pytest.raises(NoUpload):
        await upload_part(at(), "b", "k", sent(big), 1, upload_id)
    assert on_disk() == []


async def test_an_abort_by_the_time_the_upload_began(at: At, begun: Do) -> None:
    upload_id = await begun()
    with pytest.raises(PreconditionFailed):
        await abort_multipart_upload(at(), "b", "k", upload_id, if_match_initiated_time=0)


async def test_an_upload_aborted_while_a_part_comes(at: At, begun: Do, sent: Sent, big: bytes, on_disk: OnDisk) -> None:
    upload_id = await begun()
    body = sent(big)
    receive = body._receive

    async def abort_then_receive() -> Any:
        body._receive = receive
        await abort_multipart_upload(at(), "b", "k", upload_id)
        return await receive()

    body._receive = abort_then_receive
    with pytest.raises(NoUpload):
        await upload_part(at(), "b", "k", body, 1, upload_id)
    assert on_disk() == []


async def test_a_client_that_hangs_up(at: At, begun: Do, sent: Sent, big: bytes, on_disk: OnDisk) -> None:
    with pytest.raises(ClientDisconnect):
        await upload_part(at(), "b", "k", sent(big, fail_after=1_000_000), 1, await begun())
    assert on_disk() == []


async def test_the_upload_of_another_key(at: At, begun: Do, sent: Sent) -> None:
    with pytest.raises(NoUpload):
        await upload_part(at(), "b", "other", sent(b"x"), 1, await begun())
