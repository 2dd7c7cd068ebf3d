"""A catalog with its bodies at work in this process, and the power cut at every moment of it."""

from __future__ import annotations

import asyncio
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from catalog import Catalog
from catalog.errors import NoBucket, NoObject
from catalog.records import Bucket, Origin, Piece, Version
from conformance.crash.disk import Disk, Event, Mark
from conformance.crash.watch import Watch
from gateway.blobs import Blobs, Digests

ORIGIN = Origin()
BUCKET = "bucket"
CLIENTS, KEYS = 3, 4
SIZES = (1, 300, 5000, 60_000)
LARGE = 200_000
SEGMENT_SIZE = 256 * 1024
DRAFT = Version(0, "", 0, "e", 0, "STANDARD", "root")

Value = bytes | None


@dataclass
class Record:
    """What each key has for certain, and what else it may have, at one moment."""

    certain: dict[str, Value] = field(default_factory=dict)
    possible: dict[str, Value] = field(default_factory=dict)

    def take(self, mark: Mark) -> None:
        if mark.done:
            self.certain[mark.key] = mark.value
            self.possible.pop(mark.key, None)
        else:
            self.possible[mark.key] = mark.value

    def allowed(self, key: str) -> list[Value]:
        return [self.certain.get(key), *([self.possible[key]] if key in self.possible else [])]


async def work(root: Path, writes: int, seed: int) -> list[Event]:
    """What happened on the disk while clients wrote so often each."""
    watch = Watch(root, ignored=("index",))
    with watch.watching():
        blobs, catalog = Blobs(root / "data"), Catalog.open(root / "data")
        catalog._log.segment_size = SEGMENT_SIZE
        watch.note(Mark(BUCKET, b"", done=False))
        bucket = await catalog.create_bucket(ORIGIN, BUCKET, "root", "us-east-1")
        watch.note(Mark(BUCKET, b"", done=True))
        clients = (client(watch, catalog, blobs, bucket, writes, f"{seed}/{number}") for number in range(CLIENTS))
        await asyncio.gather(*clients)
        await catalog.close()
        blobs.close()
    return watch.events


async def client(watch: Watch, catalog: Catalog, blobs: Blobs, bucket: Bucket, writes: int, name: str) -> None:
    chance = random.Random(name)
    for _ in range(writes):
        key = f"{name}/{chance.randrange(KEYS)}"
        kind = chance.choice(["small", "small", "small", "large", "delete"])
        size = {"small": chance.choice(SIZES), "large": LARGE, "delete": 0}[kind]
        content = chance.randbytes(size)
        watch.note(Mark(key, content if size else None, done=False))
        if kind == "small":
            await catalog.put(ORIGIN, bucket, key, DRAFT, content)
        elif kind == "large":
            async with blobs.new(Digests(())) as blob:
                await blob.write(content)
                blob_id, _, _ = await blob.finish()
            await catalog.put(ORIGIN, bucket, key, with_body(Piece(size, blob=blob_id)))
        else:
            await catalog.delete(ORIGIN, bucket, key)
        watch.note(Mark(key, content if size else None, done=True))


def with_body(piece: Piece) -> Version:
    return Version(0, "", 0, "e", piece.size, "STANDARD", "root", body=piece)


def cut(events: list[Event], place: Path, every: int, seed: int) -> int:
    """Cut the power before each `every`th event and open what is left; how often. AssertionError: some is lost."""
    chance, disk, record, states = random.Random(seed), Disk(), Record(), 0
    for number, event in enumerate(events):
        if number % every == 0:
            disk.after_power_cut(chance).lay_out(place)
            check(place / "data", record)
            shutil.rmtree(place)
            states += 1
        disk.take([event])
        if isinstance(event, Mark):
            record.take(event)
    return states


def check(data: Path, record: Record) -> None:
    """Raises AssertionError."""
    blobs, catalog = Blobs(data), Catalog.open(data)
    try:
        try:
            bucket = catalog.bucket(BUCKET)
        except NoBucket:
            assert BUCKET not in record.certain, "the bucket is lost"
            return
        listed = set(catalog.list_objects(bucket).keys)
        for key in {*record.certain, *record.possible} - {BUCKET}:
            found = read(catalog, blobs, bucket, key)
            assert found in record.allowed(key), f"{key} is lost, or half there"
            assert (key in listed) is (found is not None)
    finally:
        catalog.release()
        blobs.close()


def read(catalog: Catalog, blobs: Blobs, bucket: Bucket, key: str) -> Value:
    try:
        body = catalog.get(bucket, key).body
    except NoObject:
        return None
    if body is None or body.blob is None:
        return catalog.read(body) if body else b""
    return blobs.path(body.blob).read_bytes()
