from __future__ import annotations

import asyncio
import os
from pathlib import Path

from catalog import Catalog
from catalog.measures import in_memory, measure_index, measure_log
from catalog.records import Origin, Version

DRAFT = Version(0, "", 0, "e" * 32, 5, "STANDARD", "root")
SEGMENT = 1 << 20


async def opened(data: Path, keys: int, size: int) -> Catalog:
    catalog = Catalog.open(data)
    catalog._log.segment_size = SEGMENT
    bucket = await catalog.create_bucket(Origin(), "b", "root", "us-east-1")
    await asyncio.gather(*(catalog.put(Origin(), bucket, f"{n:05}", DRAFT, bytes(size)) for n in range(keys)))
    return catalog


async def delete(catalog: Catalog, share: float, keys: int) -> None:
    bucket = catalog.bucket("b")
    dying = [f"{number:05}" for number in range(keys) if number % 10 < share * 10]
    await asyncio.gather(*(catalog.delete(Origin(), bucket, key) for key in dying))


async def test_segments_count_as_compaction_sees_them(tmp_path: Path) -> None:
    catalog = await opened(tmp_path / "data", 60, 60_000)
    end = catalog.end().segment
    full = end - 1
    found = measure_log(catalog._index, catalog._log, end)
    assert (found.segments, found.living_bodies, found.living_bytes) == (end, 60, 3_600_000)
    assert found.sparse == 0 and found.bytes == end * SEGMENT
    await delete(catalog, 0.8, 60)
    assert measure_log(catalog._index, catalog._log, end).sparse == full
    # What the database has not applied is not compaction's yet.
    assert measure_log(catalog._index, catalog._log, 1).sparse == 0
    await catalog.close()


async def test_bodies_smaller_than_their_records_do_not_make_a_segment_sparse(tmp_path: Path) -> None:
    catalog = await opened(tmp_path / "data", 15_000, 1)
    end = catalog.end().segment
    assert end > 2
    assert measure_log(catalog._index, catalog._log, end).sparse == 0
    await delete(catalog, 0.9, 15_000)
    assert measure_log(catalog._index, catalog._log, end).sparse == end - 1
    await catalog.close()


async def test_pages_that_come_free_are_counted(tmp_path: Path) -> None:
    catalog = await opened(tmp_path / "data", 2000, 1)
    before = measure_index(catalog._index)
    assert before.entries > 2000 and before.depth == 2
    assert before.bytes == before.pages * 4096
    await delete(catalog, 1, 2000)
    after = measure_index(catalog._index)
    assert after.free > before.free + 50 and after.depth == 0
    await catalog.close()


def test_what_was_read_is_in_memory_and_holes_are_not(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert in_memory(path) == 0
    path.write_bytes(bytes(100_000))
    assert in_memory(path) == 100_000
    with path.open("r+b") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    assert in_memory(path) < 100_000
