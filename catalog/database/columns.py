"""Rows of Python tuples made into Arrow, the one form in which DuckDB takes rows fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

Row = tuple[Any, ...]

TEXT, BYTES, WHOLE, SHORT, TRUTH = pa.string(), pa.binary(), pa.int64(), pa.int32(), pa.bool_()
TIME = pa.timestamp("ms")
MAP = pa.map_(TEXT, TEXT)


def schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


def insert(connection: duckdb.DuckDBPyConnection, table: str, columns: pa.Schema, rows: Sequence[Row]) -> None:
    """Append rows whose values stand in the order of `columns`, which need not be all of the table's."""
    if rows:
        insert_table(connection, table, arrow(columns, rows))


def insert_table(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table | None) -> None:
    """As `insert`; None is no rows."""
    if rows is not None:
        names = ", ".join(rows.column_names)
        _run(connection, f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming", rows)


def run_on_rows(
    connection: duckdb.DuckDBPyConnection, statement: str, columns: pa.Schema, rows: Sequence[Row]
) -> list[Row]:
    """Run a statement that reads `rows` under the name `incoming`."""
    return _run(connection, statement, arrow(columns, rows))


def _run(connection: duckdb.DuckDBPyConnection, statement: str, rows: pa.Table) -> list[Row]:
    connection.register("incoming", rows)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.unregister("incoming")


def arrow(columns: pa.Schema, rows: Sequence[Row]) -> pa.Table:
    arrays = [
        _maps(values) if field.type == MAP else pa.array(values, field.type)
        for field, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=columns)


def _maps(values: Sequence[dict[str, str] | None]) -> pa.MapArray:
    """As Arrow's own conversion, which is many times slower: it wants each map as a list of pairs."""
    offsets: list[int | None] = []
    keys: list[str] = []
    items: list[str] = []
    for value in values:
        if value is None:
            offsets.append(None)
        else:
            offsets.append(len(keys))
            keys += value.keys()
            items += value.values()
    offsets.append(len(keys))
    return pa.MapArray.from_arrays(pa.array(offsets, SHORT), pa.array(keys, TEXT), pa.array(items, TEXT))
