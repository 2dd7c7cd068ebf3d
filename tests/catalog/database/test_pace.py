from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import duckdb
import lmdb
import pytest

from catalog.database import follower as follower_module
from catalog.database import pace as pace_module
from catalog.database.connection import open_database
from catalog.database.follower import Follower
from catalog.database.pace import Pace
from catalog.database.tables import applied
from catalog.errors import CatalogUnusable, QueryFailed
from catalog.records import Position
from tests.catalog.database.history import History, MemorySource

NOWHERE = Path("/nowhere/catalog.duckdb.wal")


async def test_a_query_need_not_wait_for_the_next_round(database: duckdb.DuckDBPyConnection) -> None:
    history, pace, running = start(database)
    history.create_bucket("b")
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await pace.up_to_date()).seq == 1
    assert loop.time() - began < pace_module.LATE
    pace.stop()
    await running


async def test_with_nothing_left_to_do_it_rests(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    source = MemorySource(history)
    pace = Pace(Follower(database.cursor(), source), source, NOWHERE)
    running = asyncio.create_task(pace.run())
    history.create_bucket("b")
    await pace.up_to_date()
    pace._wanted.set()  # as by a query that came while the batch was read which holds all it waits for
    before = source.rounds
    await asyncio.sleep(4 * pace_module.POLL)
    assert source.rounds - before <= 6
    pace.stop()
    await running


async def test_what_nobody_waits_for_is_applied_all_the_same(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace_module, "LATE", 0.1)
    history, pace, running = start(database)
    history.create_bucket("b")
    await until(lambda: applied.position(database).seq == 1)
    pace.stop()
    await running


async def test_stopping_applies_what_was_acknowledged(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "BATCH", 3)
    history, pace, running = start(database)
    for number in range(10):
        history.create_bucket(f"b{number}")
    pace.stop()
    await running
    assert applied.position(database) == history.position()


@pytest.mark.parametrize("failure", [duckdb.IOException, lmdb.Error, OSError])
async def test_a_failure_that_may_pass_is_told_to_who_waits_and_tried_again(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    monkeypatch.setattr(pace_module, "RETRY", 0.01)
    history, pace, running = start(database)
    full = True
    real = follower_module.apply

    def apply(*arguments: object) -> int:
        if full:
            raise failure("no space left on device")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(follower_module, "apply", apply)
    history.create_bucket("b")
    with pytest.raises(QueryFailed, match="no space"):
        await pace.up_to_date()
    full = False
    await until(lambda: pace.problem is None)
    assert (await pace.up_to_date()).seq == 1
    pace.stop()
    await running


async def test_how_far_it_is_is_said_again_where_that_failed(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace_module, "RETRY", 0.01)
    monkeypatch.setattr(pace_module, "LATE", 0.01)
    monkeypatch.setattr(follower_module, "TELL_AFTER", 1)
    history = History()
    source = MemorySource(history)
    pace = Pace(Follower(database.cursor(), source), source, NOWHERE)
    running = asyncio.create_task(pace.run())
    real = source.tell_applied

    def tell_applied(position: Position) -> None:
        raise lmdb.Error("no space left on device")

    monkeypatch.setattr(source, "tell_applied", tell_applied)
    history.create_bucket("b")
    await until(lambda: pace.problem is not None)
    monkeypatch.setattr(source, "tell_applied", real)
    await until(lambda: pace.problem is None)
    assert source.told == history.position()
    pace.stop()
    await running


async def test_a_broken_log_ends_it(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    source = MemorySource(history)
    pace = Pace(Follower(database.cursor(), source), source, NOWHERE)
    source.damaged = True
    history.create_bucket("b")
    waiting = asyncio.create_task(pace.up_to_date())
    with pytest.raises(CatalogUnusable):
        await pace.run()
    waiting.cancel()


async def test_a_long_query_gives_way_to_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates that the open query must not see keep DuckDB from checkpointing."""
    monkeypatch.setattr(pace_module, "WAL_MOST", 0)
    monkeypatch.setattr(pace_module, "GRACE", 0.1)
    history = History()
    bucket = history.create_bucket("b", "Enabled").id
    history.put(bucket, "k")
    source, wal = MemorySource(history), tmp_path / "catalog.duckdb.wal"
    with open_database(tmp_path) as database:
        pace = Pace(Follower(database.cursor(), source), source, wal)
        running = asyncio.create_task(pace.run())
        with pytest.raises(TimeoutError):
            async with pace.reading(3600):
                with database.cursor() as reader:
                    reader.begin()
                    reader.execute("FROM objects").fetchall()
                    history.put(bucket, "k")
                    await pace.up_to_date()
                    await asyncio.Event().wait()
        async with pace.reading(3600):
            assert not wal.exists() or wal.stat().st_size == 0
        pace.stop()
        await running


def test_another_catalogs_database_is_refused(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    applied.begin(database, b"another catalog!", history.position())
    with pytest.raises(CatalogUnusable, match="different catalogs"):
        Follower(database, MemorySource(history))


def start(database: duckdb.DuckDBPyConnection) -> tuple[History, Pace, asyncio.Task[None]]:
    history = History()
    source = MemorySource(history)
    pace = Pace(Follower(database.cursor(), source), source, NOWHERE)
    return history, pace, asyncio.create_task(pace.run())


async def until(holds: Callable[[], bool]) -> None:
    while True:
        if holds():
            return
        await asyncio.sleep(0.01)
