"""Listing, time travel, delta and usage in SQL against a catalog in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.database.applier import apply
from catalog.database.connection import open_database
from catalog.database.tables import usage
from catalog.records import Version
from tests.catalog.database.history import START, History, take_step

KINDS = st.sampled_from([0, 1, 1, 1, 2, 3, 4, 4, 5, 5, 5, 5, 6, 6, 6, 7, 8, 9, 10, 11, 13])  # those of take_step
KEYS = ("top", "a/x", "a/b/y", "a/b/c/d/e/z", "a/x", "//w")
HOURS = 3_600_000

Current = dict[str, Version]
State = dict[tuple[str, str], list[Version]]  # by bucket and key, the newest first


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_sql_says_of_any_history_what_plain_python_says(data: st.DataObject) -> None:
    history = History(data.draw(st.booleans(), "says previous"), pause=data.draw(st.sampled_from([1000, 7 * HOURS])))
    states: list[State] = [{}]
    history.create_bucket("first", data.draw(st.sampled_from(["", "Enabled", "Suspended"])))
    states.append({})
    for step in data.draw(st.lists(st.tuples(KINDS, st.integers(0, 5), st.integers(0, 99)), min_size=30, max_size=60)):
        take_step(history, *step, KEYS)
        if len(states) <= history.seq:
            states.append(state_of(history))
    with pytest.MonkeyPatch.context() as patch, open_database(None) as database:
        patch.setattr(usage, "SETTLE_AFTER", data.draw(st.sampled_from([0, 5, 1000]), "settle after"))
        points = st.integers(1, history.seq)
        for upto in sorted({*data.draw(st.lists(points), "batches up to"), history.seq}):
            apply(database, history.records[:upto], history.position(upto))
        assert_usage(database, history, states)
        for bucket in sorted({name for state in states for name, _ in state}):
            assert_listing(database, bucket, states[-1])
            for first, second in data.draw(st.lists(st.tuples(points, points), min_size=1, max_size=8), "points"):
                assert_as_of(database, history, bucket, states, second)
                assert_delta(database, bucket, states, min(first, second) - 1, max(first, second))


def state_of(history: History) -> State:
    names = {bucket.id: bucket.name for bucket in history.buckets.values()}
    return {(names[of], key): list(held) for (of, key), held in history.versions.items() if held}


def current(state: State, bucket: str) -> Current:
    return {key: held[0] for (of, key), held in state.items() if of == bucket and not held[0].delete_marker}


def described(found: Current) -> list[tuple[Any, ...]]:
    return sorted((key, each.seq, each.size, each.etag, each.tags, each.metadata) for key, each in found.items())


def rows(database: duckdb.DuckDBPyConnection, statement: str, *values: object) -> list[tuple[Any, ...]]:
    return database.execute(statement, list(values)).fetchall()


def assert_listing(database: duckdb.DuckDBPyConnection, bucket: str, state: State) -> None:
    listed = "SELECT key, seq, size, e_tag, object_tags, user_metadata FROM objects WHERE bucket = ? ORDER BY key"
    assert rows(database, listed, bucket) == described(current(state, bucket))


def assert_as_of(
    database: duckdb.DuckDBPyConnection, history: History, bucket: str, states: list[State], point: int
) -> None:
    then = described(current(states[point], bucket))
    columns = "SELECT key, seq, size, e_tag, object_tags, user_metadata"
    assert rows(database, f"{columns} FROM objects_at_seq(?, ?) ORDER BY key", bucket, point) == then
    time = at(history, point)
    assert rows(database, f"{columns} FROM objects_at(?, ?) ORDER BY key", bucket, time) == then


def at(history: History, seq: int) -> datetime:
    """The time of a mutation."""
    return datetime.fromtimestamp(history.records[seq - 1][1].time / 1000, UTC).replace(tzinfo=None)


def assert_delta(
    database: duckdb.DuckDBPyConnection, bucket: str, states: list[State], first: int, second: int
) -> None:
    old, new = current(states[first], bucket), current(states[second], bucket)
    expected = []
    for key in old.keys() | new.keys():
        before, after = old.get(key), new.get(key)
        if before is None or after is None or (before.seq, before.tags) != (after.seq, after.tags):
            change = "added" if before is None else "removed" if after is None else "changed"
            bytes_ = (after.size if after else 0) - (before.size if before else 0)
            expected.append((change, key, after and after.etag, after and after.tags, before and before.etag, bytes_))
    found = rows(
        database,
        "SELECT change, key, e_tag, object_tags, e_tag_before, bytes FROM delta_seq(?, ?, ?)",
        bucket,
        first,
        second,
    )
    assert sorted(found, key=lambda row: row[1]) == sorted(expected, key=lambda row: row[1])


def assert_usage(database: duckdb.DuckDBPyConnection, history: History, states: list[State]) -> None:
    for depth in range(8):
        counted = count(states[-1], depth)
        for bucket in {bucket.name for bucket in history.buckets.values()}:
            found = {prefix: numbers for prefix, *numbers in rows(database, "FROM usage(?, ?)", bucket, depth)}
            assert found == {prefix: numbers for (of, prefix), numbers in counted.items() if of == bucket}
    alive = {bucket.name for bucket in history.buckets.values()}
    columns = "bucket, prefix, objects, bytes, noncurrent_versions, noncurrent_bytes, delete_markers"
    for depth in range(usage.LEVELS + 1):
        for day, state in ends_of_days(history, states):
            found = rows(database, f"SELECT {columns} FROM usage_daily WHERE day = ? AND depth = ?", day, depth)
            counted = count(state, depth)
            assert {(of, prefix): numbers for of, prefix, *numbers in found} == {
                place: numbers for place, numbers in counted.items() if place[0] in alive
            }


def count(state: State, depth: int) -> dict[tuple[str, str], list[int]]:
    """Objects, bytes, noncurrent versions and their bytes, delete markers, under each prefix."""
    found: dict[tuple[str, str], Counter[int]] = {}
    for (bucket, key), held in state.items():
        prefix = "".join(f"{folder}/" for folder in key.split("/")[:-1][:depth])
        numbers = found.setdefault((bucket, prefix), Counter())
        for place, version in enumerate(held):
            if version.delete_marker:
                numbers.update({4: 1})
            elif place == 0:
                numbers.update({0: 1, 1: version.size})
            else:
                numbers.update({2: 1, 3: version.size})
    return {place: [numbers[each] for each in range(5)] for place, numbers in found.items()}


def ends_of_days(history: History, states: list[State]) -> Iterator[tuple[date, State]]:
    """The days from the first mutation to one after the last, and how each ended."""
    day = date.fromtimestamp(START / 1000)
    while True:
        seq = max((seq for seq, _ in history.records if at(history, seq).date() <= day), default=0)
        yield day, states[seq]
        if seq == history.seq:
            return
        day += timedelta(days=1)
