from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from catalog.database.applier import apply
from catalog.database.connection import open_database
from catalog.database.query import Query
from catalog.database.registry import MACROS, VIEWS
from catalog.database.views import change, every
from catalog.errors import QueryFailed, QueryRefused
from tests.catalog.database.history import History
from tests.catalog.database.test_registry import ALICE, BOB, said

LARGE = "-- Objects of more than\n-- ten bytes.\nSELECT bucket, key, size FROM objects WHERE size > 10;"


@pytest.fixture
def history() -> History:
    history = History()
    for name, owner in (("alices", ALICE), ("bobs", BOB)):
        bucket = history.create_bucket(name, owner=owner).id
        history.put(bucket, "small", 1)
        history.put(bucket, "large", 11)
    return history


@pytest.fixture
def filled(history: History) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database(None) as database:
        apply(database, history.records, history.position())
        yield database


def keys(database: duckdb.DuckDBPyConnection, view: str, owner: str | None = None) -> str:
    return said(database, f"SELECT bucket FROM {view} ORDER BY bucket", owner)


def test_a_view_of_ones_own_is_asked_by_name(filled: duckdb.DuckDBPyConnection) -> None:
    change(filled, "add", "large", LARGE)
    assert keys(filled, "large") == '{"bucket":"alices"}\n{"bucket":"bobs"}\n'
    assert keys(filled, "large", ALICE) == '{"bucket":"alices"}\n'
    assert [view.name for view in every(filled)] == [*VIEWS, *MACROS, "large"]
    assert (every(filled)[-1].kind, every(filled)[-1].description) == ("own", "Objects of more than ten bytes.")
    change(filled, "add", "larger", "FROM large WHERE size > 100")
    assert keys(filled, "larger") == ""
    change(filled, "remove", "larger")
    assert "there is no table larger" in keys(filled, "larger")


def test_a_view_under_a_name_again_takes_the_place_of_the_one_before(filled: duckdb.DuckDBPyConnection) -> None:
    change(filled, "add", "mine", "SELECT 1 AS bucket")
    change(filled, "add", "mine", "SELECT 2 AS bucket")
    assert keys(filled, "mine") == '{"bucket":2}\n'
    assert len(every(filled)) == len(VIEWS) + len(MACROS) + 1


def test_stored_rows_stay_until_they_are_refreshed(filled: duckdb.DuckDBPyConnection, history: History) -> None:
    change(filled, "add", "large", LARGE)
    change(filled, "materialise", "large")
    assert every(filled)[-1].kind == "materialised" and every(filled)[-1].refreshed is not None
    history.put(1, "larger", 12)
    apply(filled, history.records, history.position())
    assert keys(filled, "large").count("alices") == 1
    change(filled, "refresh", "large")
    assert keys(filled, "large").count("alices") == 2


def test_of_stored_rows_others_than_root_see_none_but_what_they_see_anyway(
    filled: duckdb.DuckDBPyConnection, history: History
) -> None:
    change(filled, "add", "large", LARGE)
    change(filled, "materialise", "large")
    history.put(1, "larger", 12)
    apply(filled, history.records, history.position())
    assert keys(filled, "large", ALICE) == '{"bucket":"alices"}\n' * 2
    assert "no table" in said(filled, "FROM materialised.large", ALICE)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("objects", "SELECT 1"),
        ("usage", "SELECT 1"),
        ("delta", "SELECT 1"),
        ("Large", "SELECT 1"),
        ("a; DROP TABLE private.users", "SELECT 1"),
        ("mine", "DROP VIEW objects"),
        ("mine", "SELECT 1; SELECT 2"),
        ("mine", "FROM private.users"),
        ("mine", "FROM mine"),
        ("mine", "EXPLAIN SELECT 1"),
        ("mine", ""),
    ],
)
def test_what_is_no_view_is_refused(filled: duckdb.DuckDBPyConnection, name: str, text: str) -> None:
    with pytest.raises((QueryRefused, QueryFailed)):
        change(filled, "add", name, text)
    assert len(every(filled)) == len(VIEWS) + len(MACROS)


def test_only_ones_own_views_can_be_changed(filled: duckdb.DuckDBPyConnection) -> None:
    for action in ("remove", "materialise", "refresh"):
        with pytest.raises(QueryRefused, match="no view objects of your own"):
            change(filled, action, "objects")
    change(filled, "add", "mine", "SELECT 1 AS a")
    with pytest.raises(QueryRefused, match="not materialised"):
        change(filled, "refresh", "mine")
    with pytest.raises(QueryRefused, match="by forget"):
        change(filled, "forget", "mine")


def test_a_view_that_cannot_be_made_changes_nothing(filled: duckdb.DuckDBPyConnection) -> None:
    change(filled, "add", "mine", "SELECT 1 AS bucket")
    with pytest.raises(QueryFailed, match="nonsense"):
        change(filled, "add", "mine", "SELECT nonsense FROM objects")
    assert keys(filled, "mine") == '{"bucket":1}\n'


def test_they_are_there_after_opening_again(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        change(database, "add", "mine", "SELECT 1 AS bucket")
        change(database, "add", "stored", "SELECT bucket FROM mine")
        change(database, "materialise", "stored")
        change(database, "add", "stale", "SELECT 1 AS bucket")
        database.execute("UPDATE private.views SET statement = 'SELECT gone FROM objects' WHERE name = 'stale'")
    with open_database(tmp_path) as database:
        assert keys(database, "mine") == keys(database, "stored") == '{"bucket":1}\n'
        assert list(Query(database, "SELECT 1").run())
