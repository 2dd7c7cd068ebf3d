from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.database.applier import apply
from catalog.database.connection import open_database
from catalog.database.feed import Feed
from catalog.database.tables import applied
from catalog.errors import CatalogUnusable
from catalog.index import encode
from catalog.records import ObjectChanged
from tests.catalog.database.history import History, take_step


def test_a_batch_applied_again_changes_nothing(database: duckdb.DuckDBPyConnection) -> None:
    history = small_history()
    assert apply(database, history.records, history.position()) == history.seq
    before = everything(database)
    assert apply(database, history.records, history.position()) == 0
    assert everything(database) == before


def test_of_an_overlapping_batch_only_the_new_records_count(database: duckdb.DuckDBPyConnection) -> None:
    history = small_history()
    apply(database, history.records[:5], history.position(5))
    assert apply(database, history.records[2:], history.position()) == history.seq - 5
    assert_equal(database, history)


def test_a_gap_in_the_sequence_numbers_is_refused_and_leaves_no_trace(database: duckdb.DuckDBPyConnection) -> None:
    history = small_history()
    apply(database, history.records[:2], history.position(2))
    before = everything(database)
    with pytest.raises(CatalogUnusable, match="2"):
        apply(database, history.records[3:], history.position())
    with pytest.raises(CatalogUnusable):
        apply(database, history.records[2:-1], history.position())
    assert everything(database) == before


def test_a_failure_midway_leaves_the_batch_unapplied(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = small_history()
    apply(database, history.records[:3], history.position(3))
    before = everything(database)

    def fail(connection: duckdb.DuckDBPyConnection, position: object) -> None:
        raise RuntimeError("as if the process had died")

    with monkeypatch.context() as patch:
        patch.setattr(applied, "advance", fail)
        with pytest.raises(RuntimeError):
            apply(database, history.records[3:], history.position())
    assert everything(database) == before
    apply(database, history.records[3:], history.position())
    assert_equal(database, history)


def test_what_was_applied_is_in_the_file_with_its_position(tmp_path: Path) -> None:
    history = small_history()
    with open_database(tmp_path) as database:
        applied.begin(database, b"0123456789abcdef", history.position(0))
        apply(database, history.records, history.position())
    with open_database(tmp_path) as database:
        assert applied.position(database) == history.position()
        assert applied.identity(database) == b"0123456789abcdef"
        assert_equal(database, history)


def test_a_version_made_and_ended_in_one_batch_is_in_the_journal_alone(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b").id
    history.put(bucket, "k", 1)
    history.put(bucket, "k", 2)
    history.delete(bucket, "k")
    apply(database, history.records, history.position())
    assert database.execute("SELECT count(*) FROM versions").fetchone() == (0,)
    journal = database.execute("SELECT seq, record_type, key, size FROM journal ORDER BY seq").fetchall()
    assert journal == [(1, None, None, None), (2, "CREATE", "k", 1), (3, "CREATE", "k", 2), (4, "DELETE", "k", None)]


@pytest.mark.parametrize("says_previous", [True, False])
def test_deleting_the_newest_version_uncovers_the_one_below(
    database: duckdb.DuckDBPyConnection, says_previous: bool
) -> None:
    history = History(says_previous)
    bucket = history.create_bucket("b", "Enabled").id
    below = history.put(bucket, "k", 1)
    above = history.put(bucket, "k", 2)
    apply(database, history.records, history.position())
    assert database.execute("SELECT seq FROM objects").fetchall() == [(above.seq,)]
    history.remove_version(bucket, "k", above.seq)
    apply(database, history.records, history.position())
    assert database.execute("SELECT seq FROM objects").fetchall() == [(below.seq,)]


def test_tagging_a_noncurrent_version_leaves_it_noncurrent(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b", "Enabled").id
    below = history.put(bucket, "k")
    history.put(bucket, "k")
    apply(database, history.records, history.position())
    history.tag(bucket, "k", below.seq, {"kept": "yes"})
    apply(database, history.records, history.position())
    found = database.execute("SELECT is_latest, object_tags['kept'] FROM versions ORDER BY seq").fetchall()
    assert found == [(False, "yes"), (True, None)]


def test_many_versions_end_at_once(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b").id
    for number in range(500):
        history.put(bucket, f"k{number}")
    apply(database, history.records, history.position())
    for number in range(0, 500, 2):
        history.delete(bucket, f"k{number}")
    apply(database, history.records, history.position())
    assert_equal(database, history)


def test_keys_keep_every_character_and_the_order_of_their_bytes(database: duckdb.DuckDBPyConnection) -> None:
    history = History()
    bucket = history.create_bucket("b").id
    keys = [
        "a",
        "a\0",
        "a\0b",
        "a!",
        "\U0001f600",
        "\uffff",
        "ä",
        "z",
        "a/b",
        "a\n",
        "Z",
        "é",
        "e\u0301",
        "%2F",
        "'",
        "",
    ]
    for key in keys:
        history.put(bucket, key)
    apply(database, history.records, history.position())
    found = [key for batch in Feed(database).versions() for _, key, _, _ in batch]
    assert found == sorted(map(str.encode, keys))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_history_in_any_batches_comes_to_the_state_of_the_model(data: st.DataObject) -> None:
    history = History(data.draw(st.booleans(), "says previous"))
    steps = data.draw(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5), st.integers(0, 99)), max_size=60))
    for step in steps:
        take_step(history, *step)
    with open_database(None) as database:
        reached = 0
        while reached < history.seq:
            upto = data.draw(st.integers(reached + 1, history.seq), "batch up to")
            again = data.draw(st.integers(0, reached), "sent again from")
            apply(database, history.records[again:upto], history.position(upto))
            reached = upto
        assert_equal(database, history)


def small_history() -> History:
    history = History()
    bucket = history.create_bucket("first", "Enabled").id
    history.put(bucket, "a", 1)
    history.put(bucket, "a", 2)
    history.delete(bucket, "a")
    upload = history.create_upload(bucket, "big")
    history.put_part(upload.upload_id, 1)
    history.put_part(upload.upload_id, 1)
    history.create_user("wanda")
    history.put(bucket, "b", 3)
    return history


def assert_equal(database: duckdb.DuckDBPyConnection, history: History) -> None:
    feed = Feed(database)
    expected = history.all_versions()
    decoded = [row for batch in feed.versions() for row in batch]
    assert [row[:3] for row in decoded] == [(bucket, key.encode(), held.seq) for bucket, key, held, _ in expected]
    assert [entry for *_, entry in decoded] == [encode(version) for _, _, version, _ in expected]
    names = {bucket.id: bucket.name for bucket in history.buckets.values()}
    rows = database.execute(
        "SELECT bucket, key, seq, is_latest, object_tags, is_delete_marker FROM versions"
    ).fetchall()
    assert sorted(rows, key=lambda row: row[2]) == sorted(
        (
            (names[b], k, v.seq, latest, v.tags or {} if not v.delete_marker else None, v.delete_marker)
            for b, k, v, latest in expected
        ),
        key=lambda row: row[2],
    )
    current = {v.seq for _, _, v, latest in expected if latest and not v.delete_marker}
    assert {seq for (seq,) in database.execute("SELECT seq FROM objects").fetchall()} == current
    assert {bucket.id: bucket for bucket in feed.buckets()} == history.buckets
    assert {user.access_key: user for user in feed.users()} == history.users
    assert {upload.upload_id: upload for upload in feed.uploads()} == history.uploads
    held: dict[str, dict[int, object]] = {}
    for upload_id, part in feed.parts():
        held.setdefault(upload_id, {})[part.number] = part
    assert held == {upload_id: parts for upload_id, parts in history.parts.items() if parts}
    journal = database.execute("SELECT seq, ended, previous FROM private.journal ORDER BY seq").fetchall()
    assert {seq for seq, *_ in journal} == set(range(1, history.seq + 1))
    assert {seq: below for seq, _, below in journal if below} == {
        seq: below for seq, below in history.below.items() if below
    }
    assert {ended for _, ended, _ in journal if ended is not None} == {
        gone.seq
        for _, record in history.records
        if isinstance(record.mutation, ObjectChanged)
        for gone in record.mutation.removed
    }


def everything(database: duckdb.DuckDBPyConnection) -> list[object]:
    tables = ["applied", "buckets", "objects", "uploads", "parts", "users", "journal"]
    return [sorted(map(repr, database.execute(f"FROM private.{table}").fetchall())) for table in tables]
