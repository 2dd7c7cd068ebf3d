from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from catalog.database.applier import apply
from catalog.database.feed import Feed, open_feed
from catalog.database.ownership import owning
from catalog.database.tables import applied
from catalog.errors import CatalogUnusable
from catalog.folder import Folder
from tests.catalog.database.history import History


def test_versions_come_by_bucket_then_key_bytes_then_newest_first(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    for name in ("second", "first"):
        bucket = history.create_bucket(name, "Enabled").id
        for key in ("b", "a", "é", "a/b", "a"):
            history.put(bucket, key)
    apply(database, history.records, history.position())
    found = [(bucket, key.decode(), seq) for batch in Feed(database).versions() for bucket, key, seq, _ in batch]
    assert found == [(bucket, key, version.seq) for bucket, key, version, _ in history.all_versions()]


def test_feeds_can_be_read_side_by_side(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b").id
    for number in range(10):
        history.create_upload(bucket, f"k{number}")
    apply(database, history.records, history.position())
    feed = Feed(database)
    pairs = list(zip(feed.uploads(), feed.uploads(), strict=True))
    assert len(pairs) == 10 and all(one == other for one, other in pairs)


def test_a_database_that_was_never_given_anything_has_no_position(tmp_path: Path) -> None:
    with open_feed(Folder(tmp_path)) as feed:
        assert feed.catalog_id() is None and feed.position() is None
        assert [*feed.versions(), *feed.buckets(), *feed.users(), *feed.uploads(), *feed.parts()] == []


def test_position_and_catalog_are_those_applied(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    history.create_bucket("b")
    applied.begin(database, bytes(range(16)), history.position(0))
    apply(database, history.records, history.position())
    assert Feed(database).catalog_id() == bytes(range(16))
    assert Feed(database).position() == history.position()


def test_nobody_else_may_have_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.database.feed._PATIENCE", 0.0)
    with owning(tmp_path), pytest.raises(CatalogUnusable), open_feed(Folder(tmp_path)):
        pass
