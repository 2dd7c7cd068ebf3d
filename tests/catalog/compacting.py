"""A catalog with much to compact, compacted step by step, and all that it holds as plain values."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec

from catalog import Catalog
from catalog.compaction import Compaction
from catalog.database.connection import open_database
from catalog.database.follower import Follower
from catalog.index import composed
from catalog.records import Bucket, Checksum, Lock, ObjectLock, Origin, Part, Piece, Position, Upload, Version

ORIGIN = Origin()
DRAFT = Version(0, "", 0, "e", 0, "STANDARD", "root", Checksum("CRC32", "AAAAAA=="), metadata={"a": "b"})
LONG = "deep/" + "x" * 1000


def content(name: str, size: int = 40_000) -> bytes:
    return random.Random(name).randbytes(size)


async def put(catalog: Catalog, bucket: Bucket, key: str, name: str, size: int = 40_000) -> Version:
    draft = msgspec.structs.replace(DRAFT, size=size)
    return await catalog.put(ORIGIN, bucket, key, draft, content(name, size))


async def versioning(catalog: Catalog, name: str, state: str) -> Bucket:
    return await catalog.update_bucket(ORIGIN, name, lambda held: msgspec.structs.replace(held, versioning=state))


async def filled(path: Path) -> Catalog:
    """Segments full of bodies that died, and here and there among them every kind of one that lives."""
    catalog = Catalog.open(path)
    plain = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    await catalog.create_bucket(ORIGIN, "versioned", "root", "us-east-1")
    await put(catalog, await versioning(catalog, "versioned", ""), "of-before", "null")
    versioned = await versioning(catalog, "versioned", "Enabled")
    await put(catalog, plain, "alone", "alone")
    await put(catalog, plain, LONG, "long")
    await put(catalog, plain, "nul\0in key", "nul", 1)
    await churn(catalog, plain)
    source = await put(catalog, plain, "original", "shared")
    for key in ("copy", "another"):
        copy = msgspec.structs.replace(source)
        await catalog.put(ORIGIN, plain, key, copy, source=(plain.id, "original", source))
    gone = await put(catalog, plain, "gone", "copied and gone")
    await catalog.put(ORIGIN, versioned, "heir", gone, source=(plain.id, "gone", gone))
    await catalog.delete(ORIGIN, plain, "gone")
    for number in range(3):
        await put(catalog, versioned, "many", f"many {number}")
    await put(catalog, versioned, "of-before", "current")
    await put(catalog, versioned, "under-marker", "under marker")
    await catalog.delete(ORIGIN, versioned, "under-marker")
    tagged = await put(catalog, plain, "tagged", "tagged")
    await catalog.update_version(
        ORIGIN, plain, "tagged", None, lambda held: msgspec.structs.replace(held, tags={"t": str(tagged.seq)})
    )
    await churn(catalog, plain)
    await uploads(catalog, plain)
    await locks(catalog)
    await churn(catalog, plain, 120)
    return catalog


async def locks(catalog: Catalog) -> None:
    """One by default, two that became what they are, and an upload that asks for one."""
    bucket = await catalog.create_bucket(
        ORIGIN, "locked", "root", "us-east-1", object_lock=ObjectLock("COMPLIANCE", 30)
    )
    await put(catalog, bucket, "by default", "by default")
    retained = await put(catalog, bucket, "retained", "retained")
    await catalog.retain(ORIGIN, bucket, "retained", retained.version_id, Lock("COMPLIANCE", 4_102_444_800_000))
    await put(catalog, bucket, "held", "held")
    await catalog.update_version(
        ORIGIN, bucket, "held", None, lambda found: msgspec.structs.replace(found, lock=Lock(hold="ON"))
    )
    lock = Lock("GOVERNANCE", 4_102_444_800_000, "OFF")
    await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "asks", 0, "root", lock=lock))


async def churn(catalog: Catalog, bucket: Bucket, times: int = 60) -> None:
    for number in range(times):
        await put(catalog, bucket, "churned", f"churned {number}", 60_000)


async def uploads(catalog: Catalog, bucket: Bucket) -> None:
    """One under way, with a part that was put twice; one completed of a large body and a small one, and its copy."""
    under_way = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "under-way", 0, "root"))
    for number, name in ((1, "replaced"), (1, "part one"), (7, "part seven")):
        part = Part(number, 40_000, "e", 0, None)
        await catalog.put_part(ORIGIN, bucket, "under-way", under_way.upload_id, part, content(name))
    done = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "done", 0, "root"))
    large = Part(1, 9, "e", 0, Piece(9, blob=bytes(16)))
    parts = [
        await catalog.put_part(ORIGIN, bucket, "done", done.upload_id, large),
        await catalog.put_part(
            ORIGIN, bucket, "done", done.upload_id, Part(2, 40_000, "e", 0, None), content("last part")
        ),
    ]
    draft = msgspec.structs.replace(DRAFT, size=40_009, parts=parts, upload_id=done.upload_id)
    version = await catalog.put(ORIGIN, bucket, "done", draft, upload_id=done.upload_id)
    copy = catalog.whole(version)
    await catalog.put(ORIGIN, bucket, "done-copy", copy, source=(bucket.id, "done", version))


def everything(catalog: Catalog) -> dict[object, object]:
    """All that can be seen of it, with every body's bytes, and nothing of where they lie."""
    seen: dict[object, object] = {}
    index = catalog._index
    with index.read() as txn:
        for table in (index.uploads, index.nulls, index.blobs, index.buckets):
            seen[len(seen)] = list(txn.cursor(db=table))
    for version in all_versions(catalog):
        seen[version.seq] = (shown(version), [bytes_of(catalog, piece) for piece in composed.pieces_of(version)])
    bucket = catalog.bucket("plain")
    for upload in catalog.list_uploads(bucket).items:
        for part in catalog.parts(bucket, "under-way", upload.upload_id):
            assert part.piece is not None
            seen[part.number, upload.upload_id] = (shown_part(part), bytes_of(catalog, part.piece))
    return seen


def all_versions(catalog: Catalog) -> Iterator[Version]:
    from catalog.index.entries import version_of

    index = catalog._index
    with index.read() as txn:
        for table in (index.objects, index.versions):
            for _, entry in list(txn.cursor(db=table)):
                yield composed.whole(index, txn, version_of(entry))


def shown(version: Version) -> Version:
    parts = version.parts
    if isinstance(parts, list):
        parts = [shown_part(part) for part in parts]
    return msgspec.structs.replace(version, body=None, parts=parts)


def shown_part(part: Part) -> Part:
    return msgspec.structs.replace(part, piece=None)


def bytes_of(catalog: Catalog, piece: Piece) -> bytes:
    return piece.blob if piece.blob is not None else catalog.read(piece)


def counts(catalog: Catalog) -> dict[int, tuple[int, int]]:
    """What the index says of each segment in which something lives, checked against who names bodies in it."""
    held: dict[int, tuple[int, int]] = {}
    index = catalog._index
    with index.read() as txn:
        segments = [int.from_bytes(key, "big") for key, _ in txn.cursor(db=index.segments)]
        said = {segment: index.living(txn, segment) for segment in segments}
        groups = [composed.decode_parts(raw) for _, raw in txn.cursor(db=index.parts)]
        parts = [part.piece for group in groups for part in group]
    for piece in [*(each for version in all_versions(catalog) for each in composed.pieces_of(version)), *parts]:
        if piece is not None and piece.segment:
            count, size = held.get(piece.segment, (0, 0))
            held[piece.segment] = (count + 1, size + piece.size)
    assert {segment: count for segment, count in said.items() if count[0]} == held
    return held


def into_database(catalog: Catalog) -> Position:
    """As the catalog process does it."""
    with open_database(catalog.folder.path) as connection:
        follower = Follower(connection, catalog.tail())
        follower.catch_up()
        return follower.applied


def compact(catalog: Catalog) -> int:
    """Until there is no more to do; the bytes moved."""
    position = into_database(catalog)
    work = Compaction(catalog._index, catalog._log)
    moved = 0
    for _ in range(3):  # rounds
        while (step := work.step(position)) is not None:
            moved += step
    work.close()
    return moved


def reopened(catalog: Catalog) -> Catalog:
    catalog.release()
    return Catalog.open(catalog.folder.path)
