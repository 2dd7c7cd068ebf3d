from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.blobs import Blobs, Digests, digest
from gateway.blobs.errors import BlobCut, BlobDamaged, WrongKey
from gateway.blobs.sealing import (
    BLOCK,
    SEALED,
    STEP,
    TAG,
    Opener,
    Sealer,
    seal,
    size_of_plain,
    size_of_sealed,
    unseal,
)

KEY = bytes(range(32))
SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 2 * STEP + 12_345]


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[Blobs]:
    made = Blobs(tmp_path)
    yield made
    made.close()


async def stored(blobs: Blobs, body: bytes, step: int = 100_000) -> tuple[bytes, dict[str, bytes]]:
    async with blobs.new(Digests({"MD5", "CRC64NVME"}), KEY) as blob:
        for at in range(0, len(body), step):
            await blob.write(body[at : at + step])
        blob_id, size, digests = await blob.finish()
    assert size == len(body)
    return blob_id, digests


async def read(blobs: Blobs, blob: bytes, start: int, length: int, key: bytes = KEY) -> bytes:
    reader = blobs.sealed_reader(blob, key, start, length)
    try:
        await reader.verify()
        chunks = []
        while chunk := await reader.read():
            chunks.append(bytes(chunk))
        return b"".join(chunks)
    finally:
        reader.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [1, 17, BLOCK, BLOCK + 1, 1 << 20])
def test_however_it_is_cut_the_same_is_sealed(size: int, step: int) -> None:
    body = os.urandom(min(size, step * 300_000))
    sealer = Sealer(KEY)
    cut = b"".join(sealer.update(memoryview(body)[at : at + step]) for at in range(0, len(body), step))
    sealed = cut + sealer.finish()
    once = Sealer(KEY)
    assert sealed == once.update(body) + once.finish()
    assert (len(sealed), size_of_plain(len(sealed))) == (size_of_sealed(len(body)), len(body))
    opened = [block for _, block in Opener(KEY).blocks(0, memoryview(sealed))]
    assert None not in opened and b"".join(block or b"" for block in opened) == body


@pytest.mark.parametrize("size", SIZES)
async def test_a_blob_has_nothing_of_the_plain_bytes_and_their_digests(blobs: Blobs, size: int) -> None:
    body = os.urandom(size)
    blob, digests = await stored(blobs, body)
    assert digests == {name: digest(name, body) for name in ("MD5", "CRC64NVME")}
    content = blobs.path(blob).read_bytes()
    assert not any(body[at : at + 16] in content for at in range(0, max(0, size - 16), 4_096))
    assert await read(blobs, blob, 0, size) == body


async def test_any_stretch(blobs: Blobs) -> None:
    body = os.urandom(SIZES[-1])
    blob, _ = await stored(blobs, body)
    chance = random.Random(1)
    for _ in range(200):
        start, stop = sorted(chance.randrange(len(body) + 1) for _ in range(2))
        assert await read(blobs, blob, start, stop - start) == body[start:stop]
    with pytest.raises(BlobCut):
        blobs.sealed_reader(blob, KEY, 1, len(body))


@pytest.mark.parametrize("place", [0, BLOCK, SEALED - 1, 2 * SEALED + 5, -1])
async def test_what_was_changed_is_not_opened(blobs: Blobs, place: int) -> None:
    body = os.urandom(3 * BLOCK)
    blob, _ = await stored(blobs, body)
    path = blobs.path(blob)
    content = bytearray(path.read_bytes())
    at = place if place >= 0 else size_of_sealed(len(body)) - 1
    content[at] ^= 1
    path.write_bytes(content)
    number = at // SEALED
    for start, stop in ((number * BLOCK, number * BLOCK + 1), (0, len(body))):
        with pytest.raises(BlobDamaged) as caught:
            await read(blobs, blob, start, stop - start)
        assert (caught.value.start, caught.value.stop) == (number * SEALED, (number + 1) * SEALED)
    others = [each for each in range(3) if each != number]
    for each in others:
        assert await read(blobs, blob, each * BLOCK, BLOCK) == body[each * BLOCK : (each + 1) * BLOCK]


async def test_blocks_in_another_order_or_of_another_body_are_not_opened(blobs: Blobs) -> None:
    body = os.urandom(2 * BLOCK)
    blob, _ = await stored(blobs, body)
    path = blobs.path(blob)
    content = path.read_bytes()
    path.write_bytes(content[SEALED : 2 * SEALED] + content[:SEALED] + content[2 * SEALED :])
    with pytest.raises(BlobDamaged):
        await read(blobs, blob, 0, 1)
    path.write_bytes(content)
    with pytest.raises(BlobDamaged):
        await read(blobs, blob, 0, 1, bytes(32))


def test_a_small_body_is_as_long_as_it_was() -> None:
    for size in (0, 1, 1000, BLOCK):
        body = os.urandom(size)
        sealed, tag = seal(KEY, body)
        assert (len(sealed), len(tag)) == (size, TAG)
        assert size == 0 or sealed != body
        assert unseal(KEY, sealed, tag) == body
        with pytest.raises(WrongKey):
            unseal(bytes(32), sealed, tag)
        with pytest.raises(WrongKey):
            unseal(KEY, sealed + b"x", tag)
