from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.blobs import BlobReader, Blobs
from gateway.blobs.errors import BlobCut

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
    def not_cached(*_: object) -> int:
        raise OSError(error, os.strerror(error))

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
