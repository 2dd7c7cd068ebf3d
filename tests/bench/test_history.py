from __future__ import annotations

import duckdb

from bench.history import MadeUp, Pending
from catalog.database.applier import apply
from catalog.database.connection import open_database


def test_the_database_holds_what_the_history_says_is_there() -> None:
    history = MadeUp(2_000)
    with open_database(None) as connection:
        for records in history.batches(300):
            apply(connection, records, history.position(records[-1][0]))
        apply(connection, history.puts(10), history.position())
        apply(connection, history.overwrites(10), history.position())
        apply(connection, history.removals(10), history.position())
        assert objects(connection) == {(history.key(number), seq) for number, seq in enumerate(history.current) if seq}
        ((operations,),) = connection.execute("SELECT list(DISTINCT operation) FROM journal").fetchall()
        assert set(operations) == {"BucketPut", "ObjectPut", "VersionRemoved", "VersionUpdated"}
        (span,) = connection.execute(
            "SELECT count(DISTINCT record_timestamp::DATE), count(DISTINCT e_tag) < count(e_tag) FROM journal"
        ).fetchall()
    assert span == (300, True)


def test_what_is_pending_is_given_in_order() -> None:
    history = MadeUp(100)
    reached = history.position()
    pending = Pending(history)
    pending.more(5)
    records, position = pending.read(reached, pending.end(), 3)
    assert [seq for seq, _ in records] == [1, 2, 3]
    assert [seq for seq, _ in pending.read(position, pending.end(), 3)[0]] == [4, 5]


def objects(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, int]]:
    return set(connection.execute("SELECT key, seq FROM objects").fetchall())
