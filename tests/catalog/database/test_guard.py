from __future__ import annotations

import duckdb
import pytest

from catalog.database.guard import MAX_LENGTH, check
from catalog.errors import QueryFailed, QueryRefused

QUERIES = [
    "SELECT 1",
    "FROM objects",
    "TABLE objects",
    "VALUES (1)",
    "SELECT * FROM main.objects JOIN Versions USING (bucket, key)",
    "WITH t AS (SELECT 1 AS a) FROM t",
    "WITH RECURSIVE t(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM t WHERE a < 5) FROM t",
    "(SELECT 1) UNION (SELECT 2)",
    "SELECT * FROM range(10)",
    "SELECT unnest([1, 2])",
    "SELECT user_metadata['owner'] FROM objects",
    "SELECT row_number() OVER (PARTITION BY bucket) FROM objects",
    "SELECT list_transform([1], lambda x: x + 1)",
    "SELECT * FROM objects TABLESAMPLE 10%",
    "SELECT * FROM (PIVOT objects ON storage_class IN ('STANDARD') USING count(*))",
    "SELECT 'private.users; DROP VIEW objects'",
    "-- a comment\nSELECT 1;",
    "SELECT 1 /* another */ ; -- and one more",
    "SHOW TABLES",
    "SHOW objects",
    "DESCRIBE objects",
    "SUMMARIZE SELECT * FROM objects",
    "EXPLAIN SELECT * FROM objects",
    "explain analyze SELECT count(*) FROM objects",
]
NOT_QUERIES = [
    "",
    "SELECT 1; SELECT 2",
    "INSERT INTO objects VALUES (1)",
    "UPDATE objects SET key = 'x'",
    "DELETE FROM objects",
    "MERGE INTO objects USING versions ON true WHEN MATCHED THEN DELETE",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP MACRO f() AS 1",
    "DROP VIEW objects",
    "ALTER VIEW objects RENAME TO x",
    "COMMENT ON VIEW objects IS 'x'",
    "BEGIN",
    "COMMIT",
    "SET threads = 1",
    "RESET threads",
    "USE private",
    "PRAGMA database_list",
    "CALL checkpoint()",
    "CHECKPOINT",
    "VACUUM",
    "ATTACH 'x.duckdb'",
    "COPY objects TO 'x.csv'",
    "COPY (SELECT 1) TO 'x.csv'",
    "EXPORT DATABASE 'x'",
    "LOAD json",
    "INSTALL httpfs",
    "PREPARE x AS SELECT 1",
    "EXECUTE x",
    "PIVOT objects ON key",
    "EXPLAIN INSERT INTO objects VALUES (1)",
    "EXPLAIN ANALYZE DELETE FROM objects",
]
REACHING_TOO_FAR = [
    "FROM private.users",
    'FROM "PRIVATE"."users"',
    "FROM memory.private.users",
    "FROM memory.objects",
    "FROM schema_version",
    "WITH objects AS (FROM private.users) FROM objects",
    "WITH users AS (SELECT 1) FROM private.users",
    "SELECT (SELECT entry FROM private.users)",
    "SELECT * FROM objects WHERE EXISTS (FROM private.users)",
    "SELECT * FROM objects LIMIT (SELECT count(*) FROM private.users)",
    "SELECT 1 ORDER BY (SELECT 1 FROM private.users)",
    "FROM objects, LATERAL (SELECT * FROM private.users)",
    "FROM objects UNION ALL FROM private.objects",
    "EXPLAIN ANALYZE SELECT * FROM private.users",
    "EXPLAIN (SELECT * FROM private.users)",
    "DESCRIBE private.users",
    "SHOW private.users",
    "SUMMARIZE private.users",
    "SHOW ALL TABLES",
    "SHOW DATABASES",
    "SHOW threads",
    "DESCRIBE",
    "FROM query('FROM private.users')",
    "FROM query_table('private.users')",
    "FROM json_execute_serialized_sql(json_serialize_sql('FROM private.users'))",
    "FROM pragma_storage_info('private.users')",
    "FROM seq_scan('private.users')",
    "FROM duckdb_settings()",
    "FROM duckdb_tables",
    "FROM information_schema.tables",
    "FROM pg_catalog.pg_class",
    "FROM sqlite_master",
    "FROM '/etc/passwd'",
    "FROM 'x.parquet'",
    "FROM read_text('/etc/passwd')",
    "FROM read_csv('/etc/passwd')",
    "FROM read_duckdb('catalog.duckdb')",
    "FROM glob('/*')",
    "FROM checkpoint()",
    "FROM incoming",
    "SELECT nextval('x')",
    "SELECT main.nextval('x')",
    "SELECT getvariable('x')",
    "SELECT current_setting('temp_directory')",
    "SELECT write_log('x')",
    "SELECT sleep_ms(1000)",
    "SELECT json_serialize_plan('FROM private.users')",
    "SELECT pg_get_viewdef(range) FROM range(3000)",
    "SELECT pg_catalog.pg_get_viewdef(1)",
    "SELECT txid_current()",
    "SELECT current_transaction_id(), current_query_id(), current_connection_id()",
    "SELECT get_block_size('memory')",
    "SELECT 1\0",
]


@pytest.mark.parametrize("statement", QUERIES)
def test_a_query_may_run_and_does(database: duckdb.DuckDBPyConnection, statement: str) -> None:
    database.sql(check(database, statement)).fetchall()


@pytest.mark.parametrize("statement", NOT_QUERIES)
def test_what_is_not_one_query_is_refused(database: duckdb.DuckDBPyConnection, statement: str) -> None:
    with pytest.raises(QueryRefused):
        check(database, statement)


@pytest.mark.parametrize("statement", REACHING_TOO_FAR)
def test_a_query_that_reaches_beyond_the_public_views_is_refused(
    database: duckdb.DuckDBPyConnection, statement: str
) -> None:
    with pytest.raises(QueryRefused):
        check(database, statement)


def test_a_refusal_names_the_tables_there_are(database: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(
        QueryRefused,
        match="there are buckets, delete_markers, journal, lifecycle_rules, named_points, notification_rules, objects",
    ):
        check(database, "FROM object")


def test_nothing_is_told_from_too_much(database: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryRefused, match="no statement"):
        check(database, " ; -- nothing")
    with pytest.raises(QueryRefused, match="here are 2"):
        check(database, "SELECT 1; SELECT 2")


def test_what_cannot_be_parsed_says_where(database: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryFailed, match="SELEC"):
        check(database, "SELEC 1")


def test_a_statement_of_endless_length_or_depth_is_refused_quietly(database: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryRefused):
        check(database, "SELECT '" + "x" * MAX_LENGTH + "'")
    with pytest.raises((QueryRefused, QueryFailed)):
        check(database, "SELECT " + "(1 + " * 50_000 + "1" + ")" * 50_000)
