from __future__ import annotations

import duckdb
import pytest

from catalog.database.columns import MAP, TEXT, WHOLE, arrow, insert, run_on_rows, schema


def test_maps_keep_nothing_emptiness_and_order(database: duckdb.DuckDBPyConnection) -> None:
    given = [None, {}, {"b": "1", "a": "2"}, None, {"": ""}]
    columns = schema(n=WHOLE, m=MAP)
    rows = list(enumerate(given))
    assert run_on_rows(database, "SELECT n, m FROM incoming ORDER BY n", columns, rows) == rows
    assert arrow(columns, rows).column("m").to_pylist() == [m if m is None else list(m.items()) for m in given]


def test_rows_must_have_as_many_values_as_there_are_columns() -> None:
    with pytest.raises(ValueError):
        arrow(schema(a=WHOLE, b=TEXT), [(1,)])


def test_columns_that_are_not_given_are_null(database: duckdb.DuckDBPyConnection) -> None:
    database.execute("CREATE TEMP TABLE t (a BIGINT, b VARCHAR, c BIGINT)")
    insert(database, "t", schema(c=WHOLE, a=WHOLE), [(1, 2), (3, 4)])
    insert(database, "t", schema(c=WHOLE), [])
    assert database.execute("FROM t ORDER BY a").fetchall() == [(2, None, 1), (4, None, 3)]
