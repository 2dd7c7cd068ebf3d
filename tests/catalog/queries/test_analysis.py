from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as struct_replace

from catalog import Catalog
from catalog.database.frames import StoredTable
from catalog.lag import SLOWING
from catalog.queries import advise, analyze, reach
from catalog.queries.analysis import Analysis
from catalog.records import Origin, Piece, Version
from conformance.server import running

DRAFT = Version(0, "", 0, "e" * 32, 5, "STANDARD", "root")
GIB = 1 << 30


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    catalog = Catalog.open(data)
    bucket = await catalog.create_bucket(Origin(), "b", "root", "us-east-1")
    for number in range(10):
        await catalog.put(Origin(), bucket, f"small/{number}", DRAFT, b"12345")
    await catalog.delete(Origin(), bucket, "small/0")
    for number in range(3):
        write_blob(data, number, 100)
        blob = Piece(100, blob=bytes([number] * 16))
        await catalog.put(Origin(), bucket, f"large/{number}", struct_replace(DRAFT, size=100, body=blob))
    await catalog.close()
    return data


def write_blob(data: Path, number: int, size: int, age: float = 0.0) -> Path:
    path = data / "blobs" / f"{number:02x}" / (f"{number:02x}" * 16)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    written = path.stat().st_mtime - age
    os.utime(path, (written, written))
    return path


def analyzed(data: Path) -> Analysis:
    catalog = Catalog.open(data)
    try:
        with reach(data, catalog=catalog) as database:
            return analyze(database, catalog)
    finally:
        catalog.release()


def test_a_sound_folder_needs_no_advice(folder: Path) -> None:
    found = analyzed(folder)
    assert (found.seq, found.journal, found.lag, found.problem) == (15, 15, 15, None)
    assert analyzed(folder).lag == 0
    objects = next(table for table in found.tables if table.name == "objects")
    assert (objects.rows, objects.dead, objects.overlapping) == (12, 0, 0)
    assert found.index.entries > 12 and found.index.depth == 1
    assert 0 < found.index.bytes_in_memory <= found.index.bytes
    assert (found.log.segments, found.log.living_bodies, found.log.living_bytes, found.log.sparse) == (1, 9, 45, 0)
    assert (found.bodies.files, found.bodies.orphans, found.bodies.lost) == (3, 0, 0)
    assert found.database.read is None and found.database.hit_rate is None
    assert list(advise(found)) == []


def test_a_running_server_says_what_it_read(folder: Path) -> None:
    with running(folder, "--workers", "1"):
        found = analyzed(folder)
        assert found.database.read is not None and found.database.read > 0
        assert found.database.hit_rate is not None and 0 <= found.database.hit_rate <= 1
        assert found.database.in_buffer > 0 and found.database.buffer_limit > found.database.in_buffer
        assert found.seq == 15
        assert list(advise(found)) == []


def test_orphans_and_lost_bodies(folder: Path) -> None:
    write_blob(folder, 7, 1000, age=3600)
    write_blob(folder, 8, 1000)  # its record may be on its way
    (folder / "blobs" / "01" / ("01" * 16)).unlink()
    found = analyzed(folder)
    assert (found.bodies.files, found.bodies.orphans, found.bodies.orphan_bytes, found.bodies.lost) == (4, 1, 1000, 1)
    orphans, lost = advise(found)
    assert "1 files in blobs/ (1,000 bytes)" in orphans and "next start" in orphans
    assert "ducket scrub" in lost


def with_table(found: Analysis, **more: int) -> Analysis:
    plain = StoredTable("objects", 1_000_000, 20, 0, 0, 0, 0, 1 << 20)
    return replace(found, tables=(struct_replace(plain, **more),))


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda found: replace(found, problem="no room"), "no room"),
        (lambda found: replace(found, lag=SLOWING + 1), "--sql-threads"),
        (lambda found: replace(found, database=replace(found.database, wal=GIB)), "ducket db checkpoint"),
        (lambda found: replace(found, database=replace(found.database, bytes=GIB, free=GIB * 2 // 3)), "free blocks"),
        (
            lambda found: replace(
                found, database=replace(found.database, buffer_limit=GIB, read=10 * GIB, from_disk=5 * GIB)
            ),
            "--sql-memory",
        ),
        (lambda found: with_table(found, dead=400_000), "merges them"),
        (lambda found: with_table(found, sparse=10), "merges them"),
        (lambda found: with_table(found, overlapping=15), "in order again"),
        (
            lambda found: replace(
                found, index=replace(found.index, bytes=GIB, bytes_in_memory=GIB, pages=1000, free=600)
            ),
            "remove index/",
        ),
        (lambda found: replace(found, log=replace(found.log, sparse=3)), "a running server empties them"),
    ],
)
def test_what_is_wrong_gets_its_advice(folder: Path, change: Callable[[Analysis], Analysis], said: str) -> None:
    (advice,) = advise(change(analyzed(folder)))
    assert said in advice


def test_advice_on_a_running_server(folder: Path) -> None:
    sound = analyzed(folder)
    served: Any = replace(sound, database=replace(sound.database, read=1000, from_disk=0))
    (sparse,) = advise(replace(served, log=replace(sound.log, sparse=3)))
    assert "--compaction-rate" in sparse
    cold = replace(sound.index, bytes=GIB, bytes_in_memory=GIB // 4, free=0)
    (memory,) = advise(replace(served, index=cold))
    assert "25% of the key index" in memory
    # Of a stopped one nothing has been read yet.
    assert list(advise(replace(sound, index=cold))) == []
