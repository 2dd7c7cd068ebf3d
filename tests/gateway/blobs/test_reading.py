from __future__ import annotations

import errno
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.blobs import BlobReader, Blobs, reading
from gateway.blobs.errors import BlobCut, BlobDamaged
from gateway.blobs.reading import BURST
from gateway.blobs.sums import BLOCK, Table

BODY = os.urandom(3_000_000)


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[Blobs]:
    blobs = Blobs(tmp_path)
    yield blobs
    blobs.close()


@pytest.fixture
async def blob(blobs: Blobs) -> bytes:
    async with blobs.new() as blob:
        await blob.write(BODY)
        return (await blob.finish())[0]


async def read_all(reader: BlobReader) -> bytes:
    data = b""
    while chunk := await reader.read():
        data += chunk
    reader.close()
    return data


@pytest.mark.parametrize(
    ("start", "length"), [(0, len(BODY)), (0, 0), (1, 1), (262_143, 2), (100, 2_000_000), (len(BODY) - 1, 1)]
)
async def test_any_stretch_of_it(blobs: Blobs, blob: bytes, start: int, length: int) -> None:
    assert await read_all(blobs.reader(blob, start, length)) == BODY[start : start + length]


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.EOPNOTSUPP])
async def test_read_in_a_thread_when_not_cached(
    blobs: Blobs, blob: bytes, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    preadv = os.preadv

    def not_cached(file: int, buffers: list[memoryview], at: int, flags: int) -> int:
        if flags:
            raise OSError(error, os.strerror(error))
        return preadv(file, buffers, at)

    monkeypatch.setattr(os, "preadv", not_cached)
    assert await read_all(blobs.reader(blob, 5, 2_500_000)) == BODY[5:2_500_005]


async def test_a_file_shorter_than_it_was_is_noticed(blobs: Blobs, blob: bytes) -> None:
    os.truncate(blobs.path(blob), 1_000_000)
    with pytest.raises(BlobCut):
        await read_all(blobs.reader(blob, 0, len(BODY)))


async def test_closing_twice_is_harmless(blobs: Blobs, blob: bytes) -> None:
    reader = blobs.reader(blob, 0, 1)
    reader.close()
    reader.close()


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("at", [0, 100_000, 1_100_000, len(BODY) - 1, len(BODY) + 3 * 8])
@pytest.mark.parametrize("no_wait", [reading.NO_WAIT, 0])
async def test_a_block_that_the_disk_changed_is_not_read_and_others_are(
    blobs: Blobs, blob: bytes, at: int, no_wait: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "NO_WAIT", no_wait)
    assert await read_all(blobs.reader(blob, 0, len(BODY))) == BODY
    flip(blobs.path(blob), at)
    number = at // BLOCK if at < len(BODY) else 3
    for start, length in ((0, len(BODY)), (number * BLOCK, 1), (min(len(BODY), (number + 1) * BLOCK) - 1, 1)):
        with pytest.raises(BlobDamaged):
            await read_all(blobs.reader(blob, start, length))
    if number:
        assert await read_all(blobs.reader(blob, 0, number * BLOCK)) == BODY[: number * BLOCK]
    behind = (number + 1) * BLOCK
    if behind < len(BODY):
        assert await read_all(blobs.reader(blob, behind, len(BODY) - behind)) == BODY[behind:]


@pytest.fixture
def null() -> Iterator[int]:
    """What takes all that is sent to it at once."""
    line = os.open("/dev/null", os.O_WRONLY)
    yield line
    os.close(line)


async def sent(reader: BlobReader, line: int) -> int:
    before = reader.left
    try:
        while reader.left:
            assert await reader.send_to(line)
    finally:
        reader.close()
    return before


@pytest.mark.parametrize("at", [5, BURST + 5, 2 * BURST + 5])
@pytest.mark.parametrize("no_wait", [reading.NO_WAIT, 0])
async def test_what_was_changed_since_it_was_sent_is_not_sent_again(
    blobs: Blobs, blob: bytes, null: int, at: int, no_wait: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "NO_WAIT", no_wait)
    for _ in range(2):
        assert await sent(blobs.reader(blob, 0, len(BODY)), null) == len(BODY)
    flip(blobs.path(blob), at)
    reader = blobs.reader(blob, 0, len(BODY))
    with pytest.raises(BlobDamaged):
        await sent(reader, null)
    assert reader.left == len(BODY) - at // BURST * BURST


async def test_what_others_read_a_moment_ago_is_verified_once(
    blobs: Blobs, blob: bytes, null: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[int] = []
    check = Table.check

    def counted(self: Table, content: memoryview, at: int, flags: int) -> None:
        checks.append(at)
        check(self, content, at, flags)

    monkeypatch.setattr(Table, "check", counted)
    await sent(blobs.reader(blob, 0, len(BODY)), null)
    once = len(checks)
    assert once == -(-len(BODY) // reading.CHUNK)
    await sent(blobs.reader(blob, 0, len(BODY)), null)
    await sent(blobs.reader(blob, BURST + 5, 1000), null)
    assert len(checks) == once
    await sent(blobs.reader(blob, BURST - 5, 10), null)  # of two stretches
    assert len(checks) == once + 2
    monkeypatch.setattr(reading, "FRESH", -1.0)
    os.utime(blobs.path(blob))  # its file was changed
    for _ in range(2):
        await sent(blobs.reader(blob, 0, len(BODY)), null)
    assert len(checks) == 3 * once + 2


async def test_what_is_sent_in_part_is_not_verified_for_each_part(blobs: Blobs, blob: bytes) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    reader, came = blobs.reader(blob, 7, len(BODY) - 7), b""
    while reader.left:
        if not await reader.send_to(ours.fileno()):
            came += theirs.recv(1 << 20)
    ours.close()
    while data := theirs.recv(1 << 20):
        came += data
    theirs.close()
    reader.close()
    assert came == BODY[7:]


async def test_a_blob_of_before_there_were_sums_is_read_as_it_is(blobs: Blobs, null: int) -> None:
    old = bytes(range(16))
    blobs.path(old).write_bytes(BODY)
    assert await read_all(blobs.reader(old, 5, 2_500_000)) == BODY[5:2_500_005]
    flip(blobs.path(old), 10)
    assert await read_all(blobs.reader(old, 0, len(BODY))) != BODY
    assert await sent(blobs.reader(old, 0, len(BODY)), null) == len(BODY)
    with pytest.raises(BlobCut):
        blobs.reader(old, 0, len(BODY) + 1)
