from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog import Catalog
from catalog.errors import BodyDamaged
from catalog.index import composed
from catalog.records import Checksum, Origin, Part, Piece, Version
from gateway.blobs import digest
from gateway.blobs.errors import NoBlob
from gateway.operations import Context
from gateway.operations.checksums import encode
from gateway.operations.streaming import AT_ONCE, Stream, read, sources, stretch

At = Callable[..., Context]


async def stored(catalog: Catalog, *sizes: int) -> Version:
    parts = [
        Part(number, size, "", 0, Piece(size, blob=number.to_bytes(16, "big"))) for number, size in enumerate(sizes, 1)
    ]
    draft = Version(0, "", 0, "x-3", sum(sizes), "STANDARD", "", parts=parts)
    bucket = await catalog.create_bucket(Origin(), "b", "owner", "us-east-1")
    await catalog.put(Origin(), bucket, "k", draft)
    return catalog.get(bucket, "k")


@pytest.mark.parametrize(
    ("start", "length", "found"),
    [
        (0, 12, [(1, 0, 5), (2, 0, 4), (3, 0, 3)]),
        (0, 5, [(1, 0, 5)]),
        (4, 2, [(1, 4, 1), (2, 0, 1)]),
        (6, 1, [(2, 1, 1)]),
        (8, 4, [(2, 3, 1), (3, 0, 3)]),
        (12, 0, []),
    ],
)
async def test_the_pieces_of_a_stretch(
    catalog: Catalog, start: int, length: int, found: list[tuple[int, int, int]]
) -> None:
    pieces = stretch(catalog, await stored(catalog, 5, 4, 3), start, length)
    assert [((piece.blob or b"\0")[-1], piece.offset, piece.size) for piece in pieces] == found


def test_a_stretch_of_a_stretch(catalog: Catalog) -> None:
    body = Piece(10, segment=3, offset=100)
    whole = Version(1, "null", 0, "", 10, "STANDARD", "", body=body)
    assert stretch(catalog, whole, 0, 10) == [body]
    assert stretch(catalog, whole, 2, 5) == [Piece(5, segment=3, offset=102)]


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def blobs_of(cx: Context, *bodies: bytes) -> list[Piece]:
    pieces = []
    for body in bodies:
        async with cx.blobs.new() as blob:
            await blob.write(body)
            blob_id, size, _ = await blob.finish()
        pieces.append(Piece(size, blob=blob_id))
    return pieces


async def test_blobs_unlinked_while_they_are_streamed(at: At) -> None:
    cx = at()
    bodies = [os.urandom(1000) for _ in range(5)]
    pieces = await blobs_of(cx, *bodies)
    stream = Stream(cx, pieces, 5000)
    cx.blobs.unlink([piece.blob for piece in pieces if piece.blob])
    assert b"".join([bytes(chunk) async for chunk in stream]) == b"".join(bodies)
    await stream.aclose()
    with pytest.raises(NoBlob):
        Stream(cx, pieces, 5000)


async def test_more_blobs_than_may_be_open(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.operations.streaming.OPEN_AHEAD", 4)
    monkeypatch.setattr("gateway.operations.streaming.AT_ONCE", 2)
    cx = at()
    bodies = [bytes([number]) * 10 for number in range(9)]
    pieces = await blobs_of(cx, *bodies)
    before = open_files()
    stream = Stream(cx, pieces, 90)
    assert open_files() == before + 2
    came = []
    async for chunk in stream:
        came.append(bytes(chunk))
        await asyncio.sleep(0)
        assert open_files() <= before + 4
    assert b"".join(came) == b"".join(bodies)
    assert open_files() == before


async def test_the_rest_is_opened_while_the_first_is_sent(at: At) -> None:
    cx = at()
    bodies = [bytes([number]) for number in range(AT_ONCE * 3)]
    pieces = await blobs_of(cx, *bodies)
    before = open_files()
    stream = Stream(cx, pieces, len(bodies))
    coming = aiter(stream)
    assert await anext(coming) == bodies[0]
    for _ in bodies:
        await asyncio.sleep(0)
    assert open_files() == before + len(bodies)
    cx.blobs.unlink([piece.blob for piece in pieces if piece.blob])
    assert b"".join([bytes(chunk) async for chunk in coming]) == b"".join(bodies[1:])
    await stream.aclose()
    assert open_files() == before


async def test_what_is_gone_is_told_when_it_is_its_turn(at: At) -> None:
    cx = at()
    bodies = [bytes([number]) for number in range(AT_ONCE * 2)]
    pieces = await blobs_of(cx, *bodies)
    cx.blobs.unlink([pieces[-2].blob or b""])
    stream = Stream(cx, pieces, len(bodies))
    came = bytearray()
    with pytest.raises(NoBlob):
        async for chunk in stream:
            came += chunk
            await asyncio.sleep(0)
    assert bytes(came) == b"".join(bodies[:-2])
    await stream.aclose()


async def test_ten_thousand_parts_are_decoded_as_they_are_sent(catalog: Catalog, decoded: list[int]) -> None:
    version = await stored(catalog, *[5] * 9_999, 3)
    coming = sources(catalog, version, 2, version.size - 2)
    assert decoded == [composed.GROUP]  # the last ones, for a body in the log
    assert next(coming) == Piece(3, offset=2, blob=(1).to_bytes(16, "big"))
    assert decoded == [composed.GROUP] * 2
    assert sum(piece.size for piece in coming if isinstance(piece, Piece)) == version.size - 5
    assert sum(decoded) == 10_000


async def test_a_last_part_that_lies_in_the_log_is_read_at_once(at: At) -> None:
    cx = at()
    (piece,) = await blobs_of(cx, b"large")
    small = await cx.catalog.put(Origin(), cx.here, "small", Version(0, "", 0, "x", 5, "STANDARD", ""), b"small")
    parts = [Part(1, 5, "", 0, piece), Part(2, 5, "", 0, small.body)]
    await cx.catalog.put(Origin(), cx.here, "k", Version(0, "", 0, "x-2", 10, "STANDARD", "", parts=parts))
    version = cx.catalog.get(cx.here, "k")
    assert list(sources(cx.catalog, version, 0, 10)) == [piece, b"small"]
    assert list(sources(cx.catalog, version, 3, 4)) == [Piece(2, offset=3, blob=piece.blob), b"sm"]


async def test_few_descriptors_to_spare(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    cx = at()
    pieces = await blobs_of(cx, b"1", b"2", b"3")
    monkeypatch.setattr(cx.blobs, "_many", 0)
    before = open_files()
    stream = Stream(cx, pieces, 3)
    assert open_files() == before + 1
    assert b"".join([bytes(chunk) async for chunk in stream]) == b"123"
    assert open_files() == before


async def test_a_stream_that_is_left_early_closes_its_files(at: At) -> None:
    cx = at()
    pieces = await blobs_of(cx, *[bytes(10)] * 4)
    before = open_files()
    stream = Stream(cx, pieces, 40)
    async for _ in stream:
        break
    await stream.aclose()
    assert open_files() == before


@pytest.mark.parametrize("algorithm", ["CRC64NVME", "CRC32", "SHA256"])
async def test_a_small_body_that_is_not_what_was_written_is_not_served(at: At, algorithm: str) -> None:
    cx = at()
    bucket = await cx.catalog.create_bucket(Origin(), "rotten", "owner", "us-east-1")
    for content, checked in ((b"sound", b"sound"), (b"rotten", b"robben")):
        checksum = Checksum(algorithm, encode(digest(algorithm, checked)))
        draft = Version(0, "", 0, "x", len(content), "STANDARD", "", checksum)
        version = await cx.catalog.put(Origin(), bucket, "k", draft, content)
        if content == checked:
            assert await read(cx, version, 0, len(content)) == content
            assert await read(cx, version, 1, 2) == content[1:3]
        else:
            for start, length in ((0, len(content)), (1, 2)):
                with pytest.raises(BodyDamaged):
                    await read(cx, version, start, length)
