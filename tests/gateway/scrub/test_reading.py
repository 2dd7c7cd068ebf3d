from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.blobs import Blobs
from gateway.blobs.errors import BlobCut, BlobDamaged
from gateway.blobs.sums import BLOCK
from gateway.scrub import reading
from gateway.scrub.reading import PIECE, blocks, checked


@pytest.mark.parametrize("no_wait", [reading.NO_WAIT, 0])
@pytest.mark.parametrize("cached", [True, False])
def test_a_stretch_is_read_whole_from_the_cache_or_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_wait: int, cached: bool
) -> None:
    monkeypatch.setattr(reading, "NO_WAIT", no_wait)
    content = os.urandom(3 * PIECE + 17)
    path = tmp_path / "blob"
    path.write_bytes(content)
    if not cached:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    assert b"".join(blocks(path, 0, len(content))) == content
    assert b"".join(blocks(path, 5, 2 * PIECE)) == content[5 : 5 + 2 * PIECE]
    assert b"".join(blocks(path, 3 * PIECE, 1000)) == content[3 * PIECE :]


async def test_a_blob_is_held_against_its_sums_when_all_of_it_was_read(tmp_path: Path) -> None:
    content = os.urandom(2 * PIECE + 17)
    blobs = Blobs(tmp_path)
    async with blobs.new() as blob:
        await blob.write(content)
        blob_id, size, _ = await blob.finish()
    blobs.close()
    path = blobs.path(blob_id)
    for at, length in ((0, size), (5, 100), (PIECE - 3, PIECE + 20)):
        assert b"".join(checked(path, blob_id, at, length)) == content[at : at + length]
    whole = path.read_bytes()
    for spoiled, fact in (
        (whole[: 3 * BLOCK] + b"x" + whole[3 * BLOCK + 1 :], BlobDamaged(blob_id, 3 * BLOCK, 4 * BLOCK)),
        (whole[:-1], BlobCut(blob_id, size - 1)),
    ):
        path.write_bytes(spoiled)
        reading_on = checked(path, blob_id, 0, size)
        came = b""
        with pytest.raises(type(fact)) as found:
            while True:
                came += next(reading_on)
        assert (found.value, came) == (fact, spoiled[:size])
