from __future__ import annotations

from random import Random

import duckdb
import pytest

from catalog.database import follower as follower_module
from catalog.database import vacuum
from catalog.database.follower import Follower
from catalog.database.tables import applied
from tests.catalog.database.history import START, History, MemorySource
from tests.catalog.database.test_applier import assert_equal


def test_writers_are_told_seldom_how_far_the_database_is(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "BATCH", 2)
    monkeypatch.setattr(follower_module, "TELL_AFTER", 4)
    history = History()
    bucket = history.create_bucket("b").id
    for number in range(6):
        history.put(bucket, f"k{number}")
    source = MemorySource(history)
    follower = Follower(database, source)
    told = [source.told.seq]
    while follower.behind():
        follower.step()
        told.append(source.told.seq)
    assert told == [0, 0, 4, 4, 4]
    assert follower.applied == history.position(7)
    again = MemorySource(history)
    Follower(database, again)
    assert again.told == history.position(7)


def test_gaps_are_looked_for_at_the_start_and_once_many_mutations_were_applied(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    monkeypatch.setattr(vacuum, "adjust", lambda connection: looked.append(follower.applied.seq))
    monkeypatch.setattr(follower_module, "BATCH", 1)
    monkeypatch.setattr(follower_module, "VACUUM_AFTER", 3)
    history = History()
    bucket = history.create_bucket("b").id
    for number in range(6):
        history.put(bucket, f"k{number}")
    follower = Follower(database, MemorySource(history))
    follower.catch_up()
    assert looked == [1, 5]


def test_a_database_that_was_not_wholly_begun_is_begun_again(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which catalog it is of is written in one step: killed in the middle of it, it is of none yet."""
    source = MemorySource(History())

    def killed(connection: duckdb.DuckDBPyConnection, *_: object) -> None:
        connection.execute("DELETE FROM private.applied")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(applied, "begin", killed)
        with pytest.raises(KeyboardInterrupt):
            Follower(database, source)
    assert applied.identity(database) is None
    Follower(database, source)
    assert applied.identity(database) == source.catalog_id


def test_a_batch_ends_with_its_day(database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Usage is counted by day; and DuckDB 2.0.0 loses rows where a transaction removes its own beside earlier ones."""
    monkeypatch.setattr(follower_module, "BATCH", 500)
    day = 86_400_000
    history = History(pause=day // 100)
    bucket = history.create_bucket("b").id
    chosen = Random(1)
    for _ in range(4000):
        history.put(bucket, f"k{chosen.randrange(300)}")
    follower = Follower(database, MemorySource(history))
    follower.step()
    assert follower.applied.seq == sum(record.time // day == START // day for _, record in history.records)
    follower.catch_up()
    assert_equal(database, history)
