"""What a viewer sees: the rows of its own buckets, and of the others not a trace, whatever it asks."""

from __future__ import annotations

import duckdb
import pytest

from catalog.database.applier import apply
from catalog.database.connection import open_database
from catalog.database.frames import Rows
from catalog.database.query import Query
from catalog.database.registry import MACROS, VIEWS, see
from catalog.errors import QueryFailed, QueryRefused
from tests.catalog.database.history import History

ALICE, BOB = "a" * 64, "b" * 64
SECRET = "zzz-s3cret"

# Each is asked where there is something of Bob's and where there is not: the answers must be the same.
QUESTIONS = [
    *(f"SELECT * FROM {view} ORDER BY ALL" for view in VIEWS if view != "usage_daily"),
    *(f"SELECT count(*), min(bucket), max(bucket) FROM {view}" for view in VIEWS),
    *(f"SUMMARIZE {view}" for view in ("objects", "versions", "buckets", "tags", "uploads", "parts")),
    "SELECT max(size), min(size), sum(size), max(key), max(seq) FROM objects",
    "SELECT approx_count_distinct(key), any_value(key), last(key), mode(key) FROM versions",
    "SELECT * FROM objects TABLESAMPLE 100%",
    "SELECT key FROM objects ORDER BY key DESC LIMIT 1",
    "SELECT max(seq), count(*) FROM journal",
    "SELECT DISTINCT requester, source_ip_address FROM journal",
    "SELECT seq_at(now())",
    "SELECT * FROM usage('bobs', 0) UNION ALL FROM usage('bobs', 6)",
    "SELECT * FROM usage('alices', 1)",
    "SELECT * FROM objects_at('bobs', now()::TIMESTAMP)",
    "SELECT * FROM objects_at_seq('bobs', 1000)",
    "SELECT * FROM delta_seq('bobs', 0, 1000)",
    "SELECT * FROM delta('bobs', TIMESTAMP '2000-01-01', now())",
    "SELECT * FROM duplicates('bobs')",
    "SELECT * FROM delta_seq('alices', 0, 1000) ORDER BY ALL",
    "SELECT * FROM objects_at_seq((SELECT bucket FROM versions WHERE bucket <> 'alices'), 1000)",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM duckdb_views()",
    "SELECT * FROM duckdb_columns()",
    "SELECT * FROM duckdb_variables()",
    "SELECT * FROM duckdb_functions()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.views",
    "SELECT * FROM pragma_storage_info('objects')",
    "SELECT * FROM private.objects",
    "SELECT * FROM private.usage_settled",
    "SELECT getvariable('sees')",
    "SELECT stats(key) FROM objects",
    "SHOW TABLES",
    "EXPLAIN SELECT * FROM objects",
    "EXPLAIN ANALYZE SELECT * FROM objects",
    "SELECT key::INTEGER FROM objects",
    "SELECT count(*) FROM objects WHERE key::INTEGER = 1",
    "SELECT count(*) FROM objects WHERE bucket = 'bobs' AND key::INTEGER = 1",
    f"SELECT count(*) FROM objects WHERE CASE WHEN key LIKE '{SECRET}%' THEN error(key) ELSE true END",
    f"SELECT count(*) FROM versions WHERE if(key LIKE '{SECRET}%', 1 // (size - size), 1) = 1",
    f"SELECT count(*) FROM journal WHERE key LIKE '{SECRET}%' AND error(key) IS NULL",
    f"SELECT count(*) FROM usage WHERE prefix LIKE '{SECRET}%' AND error(prefix) IS NULL",
    f"SELECT count(*) FROM usage_daily WHERE prefix LIKE '{SECRET}%' AND error(prefix) IS NULL",
    f"SELECT count(*) FROM tags WHERE tag_value = '77' AND error(tag_value) IS NULL AND key <> '{SECRET}'",
    "SELECT count(*) FROM buckets WHERE error(bucket || owner) IS NULL AND bucket <> 'alices'",
    "SELECT a.key FROM objects AS a JOIN objects AS b ON a.size = 1 // (b.size - 77)",
    "SELECT sum(1 // (size - 77)) FROM objects",
    "SELECT (SELECT key FROM objects)",
    "SELECT list(o) FROM objects AS o WHERE o::VARCHAR::INTEGER = 1",
    "SELECT key, error(key) FROM objects WHERE size = 77",
    "SELECT count(*) FROM objects WHERE CASE WHEN size = 77 THEN key ELSE '1' END::INTEGER = 1",
    "SELECT count(*) FROM versions WHERE CASE WHEN size = 77 THEN e_tag || key ELSE '1' END::INTEGER = 1",
    "SELECT count(*) FROM journal WHERE CASE WHEN size = 77 THEN key ELSE '1' END::INTEGER = 1",
    "SELECT count(*) FROM uploads WHERE CASE WHEN key <> 'a/big' THEN key ELSE '1' END::INTEGER = 1",
    "SELECT count(*) FROM parts WHERE CASE WHEN key <> 'a/big' THEN key ELSE '1' END::INTEGER = 1",
    "SELECT count(*) FROM buckets WHERE CASE WHEN bucket <> 'alices' THEN bucket ELSE '1' END::INTEGER = 1",
    "SELECT count(*) FROM usage WHERE CASE WHEN bytes > 1000 THEN prefix ELSE '1' END::INTEGER = 1",
    "SELECT count(*) FROM usage_daily WHERE CASE WHEN bytes > 1000 THEN prefix ELSE '1' END::INTEGER = 1",
    "SELECT max(CASE WHEN size = 77 THEN key ELSE '1' END::INTEGER) FROM objects",
    "SELECT seq, stats(seq) FROM journal ORDER BY seq DESC LIMIT 1",
    "SELECT regexp_matches(key, '(') FROM objects WHERE bucket = 'bobs'",
    "SELECT * FROM objects WHERE key > (SELECT max(key) FROM objects) AND error('reached') IS NULL",
]


def filled(with_bob: bool) -> duckdb.DuckDBPyConnection:
    """Bob's things come last, so that Alice's have the same numbers with him and without."""
    history = History()
    alices = history.create_bucket("alices", "Enabled", ALICE).id
    for number in range(3):
        history.put(alices, f"a/{number}", number + 1)
    history.delete(alices, "a/0")
    history.put_part(history.create_upload(alices, "a/big").upload_id, 1)
    if with_bob:
        bobs = history.create_bucket("bobs", "Enabled", BOB).id
        for number in range(70):
            history.put(bobs, f"{SECRET}/{number}", 77)
        history.delete(bobs, f"{SECRET}/0")
        history.put_part(history.create_upload(bobs, f"{SECRET}/big").upload_id, 1)
        gone = history.create_bucket("gone", "", BOB).id
        history.put(gone, SECRET)
        history.delete(gone, SECRET)
        history.delete_bucket(gone)
        history.create_user("bob")
    database = open_database(None)
    apply(database, history.records, history.position())
    return database


def said(database: duckdb.DuckDBPyConnection, question: str, owner: str | None, plain: bool = False) -> str:
    """The rows, or the error."""
    try:
        answers = Query(database, question, owner, "jsonl", plain=plain).run()
        return "".join(answer.data.decode() for answer in answers if isinstance(answer, Rows))
    except (QueryFailed, QueryRefused) as fact:
        return repr(fact)


@pytest.fixture(scope="module")
def both() -> tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]:
    return filled(with_bob=True), filled(with_bob=False)


@pytest.mark.parametrize("question", QUESTIONS)
def test_of_others_there_is_no_trace(
    both: tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection], question: str
) -> None:
    beside_bob, alone = both
    answer = said(beside_bob, question, ALICE)
    assert answer == said(alone, question, ALICE)
    assert SECRET not in answer.replace(question, "")


def test_each_sees_its_own_and_root_all() -> None:
    with filled(with_bob=True) as database:
        for owner, count in ((ALICE, 2), (BOB, 69), (None, 71), ("nobody", 0)):
            assert said(database, "SELECT count(*) AS n FROM objects", owner) == f'{{"n":{count}}}\n'
        assert '"deleted":1' in said(
            database, "SELECT count(*) AS deleted FROM journal WHERE operation = 'BucketRemoved'", None
        )


@pytest.mark.parametrize("view", VIEWS)
def test_no_condition_of_a_query_reaches_below_a_view(view: str) -> None:
    """That DuckDB itself keeps them apart. https://duckdb.org/docs/stable/sql/statements/create_view"""
    with open_database(None) as database:
        ((_, plan),) = database.execute(f"EXPLAIN SELECT * FROM {view} WHERE bucket = 'b'").fetchall()
    assert "Secure View" in plan and "private" not in plan


@pytest.mark.parametrize("view", VIEWS)
def test_a_plain_view_shows_the_same_and_is_looked_through(view: str) -> None:
    with filled(with_bob=True) as database:
        rows = f"SELECT * FROM {view} ORDER BY ALL"
        assert said(database, rows, None, plain=True) == said(database, rows, None)
        assert "Secure View" not in said(database, f"EXPLAIN SELECT * FROM {view}", None, plain=True)
        assert "Secure View" in said(database, f"EXPLAIN SELECT * FROM {view}", None)


def test_who_does_not_see_all_looks_through_no_view() -> None:
    """By SHOW TABLES, which tells whatever names stand for."""
    with filled(with_bob=True) as database:
        assert said(database, "SHOW TABLES", None, plain=True) != said(database, "SHOW TABLES", None)
        assert said(database, "SHOW TABLES", ALICE, plain=True) == said(database, "SHOW TABLES", ALICE)
        assert said(database, "SELECT count(*) AS n FROM plain.versions", ALICE, plain=True).startswith("QueryRefused")


def test_a_cursor_that_was_told_nothing_sees_nothing() -> None:
    with filled(with_bob=True) as database, database.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM versions").fetchall() == [(0,)]
        see(cursor, None)
        assert cursor.execute("SELECT count(*) FROM buckets").fetchall() == [(2,)]


@pytest.mark.parametrize("shown", [*VIEWS.values(), *MACROS.values()], ids=lambda shown: shown.name)
def test_each_says_what_it_is_for(shown: object) -> None:
    assert str(getattr(shown, "description", "")).endswith(".")
