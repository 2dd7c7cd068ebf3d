from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from catalog import Catalog, reaping
from catalog.index import composed
from catalog.index.apply import MANY
from catalog.records import Bucket, Origin, Part, Piece, Upload, Version

ORIGIN = Origin()
COUNT = (MANY + 2) * composed.GROUP


def parts_of(count: int) -> list[Part]:
    return [Part(number, 1, "e", 0, Piece(1, blob=number.to_bytes(16, "big"))) for number in range(1, count + 1)]


def blobs_of(parts: list[Part]) -> list[bytes]:
    return [part.piece.blob for part in parts if part.piece is not None and part.piece.blob is not None]


class Dead:
    """The blobs that a catalog said nothing names any more."""

    def __init__(self, catalog: Catalog) -> None:
        self.blobs: list[bytes] = []
        self._came = asyncio.Event()
        catalog.on_dead_blobs = self.add

    def add(self, blobs: list[bytes]) -> None:
        self.blobs += blobs
        self._came.set()

    async def are(self, count: int) -> list[bytes]:
        """In order, as soon as they are so many."""
        while len(self.blobs) < count:
            self._came.clear()
            await self._came.wait()
        return sorted(self.blobs)


async def test_the_bodies_of_many_parts_go_later(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    dead = Dead(catalog)
    many = parts_of(COUNT)
    await catalog.put(ORIGIN, bucket, "k", msgspec.structs.replace(draft, parts=many))
    version = catalog.get(bucket, "k")
    await catalog.put(ORIGIN, bucket, "copy", msgspec.structs.replace(draft, parts=many[:2]))
    await catalog.put(ORIGIN, bucket, "k", draft, b"hello")
    assert dead.blobs == []
    assert catalog.blob_alive(blobs_of(many)[-1])
    with pytest.raises(FileNotFoundError):
        catalog.whole(version)
    assert await dead.are(COUNT - 2) == blobs_of(many)[2:]
    assert catalog.blob_alive(blobs_of(many)[0])


async def test_those_of_an_aborted_upload_too(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    dead = Dead(catalog)
    upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "k", 0, "root"))
    many = parts_of(COUNT)
    await asyncio.gather(*(catalog.put_part(ORIGIN, bucket, "k", upload.upload_id, part) for part in many))
    await catalog.abort_upload(ORIGIN, bucket, "k", upload.upload_id)
    assert dead.blobs == []
    assert await dead.are(COUNT) == blobs_of(many)


async def test_those_that_a_completed_upload_leaves_out(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    dead = Dead(catalog)
    upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "k", 0, "root"))
    many = parts_of(COUNT)
    await asyncio.gather(*(catalog.put_part(ORIGIN, bucket, "k", upload.upload_id, part) for part in many))
    uploaded = catalog.uploaded(bucket, "k", upload.upload_id)
    whole = msgspec.structs.replace(draft, parts=many[5:7], upload_id=upload.upload_id)
    await catalog.put(ORIGIN, bucket, "k", whole, upload_id=upload.upload_id, uploaded=uploaded)
    assert await dead.are(COUNT - 2) == blobs_of(many[:5] + many[7:])
    await catalog.delete(ORIGIN, bucket, "k")
    assert sorted(dead.blobs) == blobs_of(many)


async def test_what_a_closed_catalog_left_goes_with_the_next(
    tmp_path: Path, draft: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaping, "PAUSE", 1000.0)
    catalog = Catalog.open(tmp_path)
    dead = Dead(catalog)
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    await catalog.put(ORIGIN, bucket, "k", msgspec.structs.replace(draft, parts=parts_of(COUNT)))
    await catalog.delete(ORIGIN, bucket, "k")
    await catalog.close()
    assert dead.blobs == []
    monkeypatch.undo()
    catalog = Catalog.open(tmp_path)
    dead = Dead(catalog)
    await catalog.put(ORIGIN, bucket, "another", draft, b"hello")
    assert await dead.are(COUNT) == blobs_of(parts_of(COUNT))
    await catalog.close()


async def test_closing_waits_for_a_step_under_way(tmp_path: Path, draft: Version) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    await catalog.put(ORIGIN, bucket, "k", msgspec.structs.replace(draft, parts=parts_of(COUNT)))
    await catalog.delete(ORIGIN, bucket, "k")
    reaper = catalog._commits._reaper
    reaper._step()
    working = reaper._working
    assert working is not None
    await catalog.close()
    assert working.done()
