from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog import SMALL_BODY
from catalog.errors import PreconditionFailed
from catalog.records import Checksum
from gateway.body import Body
from gateway.operations import Context
from gateway.operations.checksums import Promise
from gateway.operations.receiving import Received, receive
from gateway.s3.errors import S3Error

At = Callable[..., Context]
OnDisk = Callable[[], list[Path]]


async def kept(received: Received) -> Received:
    return received


async def refused(received: Received) -> Received:
    raise PreconditionFailed("If-Match")


async def lost(received: Received) -> Received:
    raise ConnectionError


async def test_small_bodies_go_into_the_log_and_large_ones_into_blobs(at: At, sent: Callable[..., Body]) -> None:
    received = await receive(at(), sent(b"x" * SMALL_BODY), Promise(), "CRC32", kept)
    assert (received.content, received.piece) == (b"x" * SMALL_BODY, None)
    received = await receive(at(), sent(b"x" * (SMALL_BODY + 1)), Promise(), "CRC32", kept)
    assert received.content is None
    assert received.piece is not None
    assert received.piece.size == received.size == SMALL_BODY + 1


@pytest.mark.parametrize("size", [9, 500_000])
async def test_the_digests_that_are_wanted(at: At, sent: Callable[..., Body], md5: Any, size: int) -> None:
    content = (b"123456789" * 60_000)[:size]
    received = await receive(at(), sent(content), Promise("SHA1", None), "CRC64NVME", kept)
    assert received.digests.keys() == {"MD5", "SHA1", "CRC64NVME"}
    assert received.etag == md5(content)
    if size == 9:
        assert received.checksum("CRC64NVME") == Checksum("CRC64NVME", "rosUhgp5mIg=")


async def test_a_refused_body_is_unlinked(at: At, sent: Callable[..., Body], big: bytes, on_disk: OnDisk) -> None:
    with pytest.raises(PreconditionFailed):
        await receive(at(), sent(big), Promise(), "CRC32", refused)
    assert on_disk() == []


async def test_a_body_whose_fate_is_unknown_is_left_to_the_sweep(
    at: At, sent: Callable[..., Body], big: bytes, on_disk: OnDisk
) -> None:
    with pytest.raises(ConnectionError):
        await receive(at(), sent(big), Promise(), "CRC32", lost)
    (path,) = on_disk()
    assert path.read_bytes()[: len(big)] == big


@pytest.mark.parametrize("size", [5, 5_000_000])
async def test_the_payloads_sha256(at: At, sent: Callable[..., Body], big: bytes, size: int, on_disk: OnDisk) -> None:
    body = sent(big[:size])
    body.expected_sha256, body.check_sha256 = "0" * 64, True
    with pytest.raises(S3Error, match="XAmzContentSHA256Mismatch"):
        await receive(at(), body, Promise(), "CRC32", kept)
    assert on_disk() == []
