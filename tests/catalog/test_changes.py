from __future__ import annotations

from pathlib import Path

import pytest

from catalog import Catalog
from catalog.errors import CatalogUnusable
from tests.catalog.compacting import ORIGIN, into_database, put

SIZE = 60_000


async def grown(path: Path) -> Catalog:
    """Several segments, of which the first hold nothing that lives."""
    catalog = Catalog.open(path)
    bucket = await catalog.create_bucket(ORIGIN, "bucket", "root", "us-east-1")
    for number in range(60):
        await put(catalog, bucket, "key", f"body {number}", SIZE)
    return catalog


def drop_dead(catalog: Catalog) -> None:
    position, tail = into_database(catalog), catalog.tail()
    while tail.drop_dead_segments(position):
        pass
    tail.close()


async def test_begins_at_the_end_and_reads_on(tmp_path: Path) -> None:
    catalog = await grown(tmp_path / "data")
    changes = catalog.tail().changes()
    assert changes.seq == changes.end() == catalog.end().seq == 61
    assert changes.read(10) == []
    await catalog.create_bucket(ORIGIN, "another", "root", "us-east-1")
    await catalog.delete_bucket(ORIGIN, "another")
    assert [seq for seq, _ in changes.read(1)] == [62]
    assert (changes.seq, changes.end()) == (62, 63)
    assert [seq for seq, _ in changes.read(10)] == [63]
    await catalog.close()


async def test_seeks_any_place_that_the_log_has(tmp_path: Path) -> None:
    catalog = await grown(tmp_path / "data")
    changes = catalog.tail().changes()
    assert catalog.end().segment > 2
    for seq in (0, 1, 17, 40, 60, 61):
        assert changes.seek(seq) == changes.seq == seq
        assert [number for number, _ in changes.read(1000)] == list(range(seq + 1, 62))
    assert changes.seek(1000) == 61
    await catalog.close()


async def test_of_what_is_gone_it_says_where_the_log_goes_on(tmp_path: Path) -> None:
    catalog = await grown(tmp_path / "data")
    before, reading = catalog.tail().changes(), catalog.tail().changes()
    reading.seek(0)
    drop_dead(catalog)
    first = min(int(path.stem, 16) for path in (tmp_path / "data" / "log").glob("*.log"))
    assert first > 1
    reached = before.seek(5)
    assert 5 < reached < 61
    assert [number for number, _ in before.read(1000)] == list(range(reached + 1, 62))
    with pytest.raises(CatalogUnusable):
        while reading.read(1):
            pass
    assert reading.seek(reading.seq) == reached
    await catalog.close()
