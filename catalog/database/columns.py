"""Rows of Python tuples made into Arrow, the one form in which DuckDB takes rows fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, chain
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

Row = tuple[Any, ...]
Values: TypeAlias = Sequence[Any] | pa.Array | pa.ChunkedArray

TEXT, BYTES, WHOLE, SHORT, TRUTH = pa.string(), pa.binary(), pa.int64(), pa.int32(), pa.bool_()
TIME = pa.timestamp("ms")
MAP = pa.map_(TEXT, TEXT)


def schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


def insert(connection: duckdb.DuckDBPyConnection, table: str, columns: pa.Schema, rows: Sequence[Row]) -> None:
    """Append rows whose values stand in the order of `columns`, which need not be all of the table's."""
    if rows:
        insert_table(connection, table, arrow(columns, rows))


def insert_table(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    if rows.num_rows:
        names = ", ".join(rows.column_names)
        run_on_table(connection, f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming", rows)


def run_on_rows(
    connection: duckdb.DuckDBPyConnection, statement: str, columns: pa.Schema, rows: Sequence[Row]
) -> list[Row]:
    """Run a statement that reads `rows` under the name `incoming`."""
    return run_on_table(connection, statement, arrow(columns, rows))


def run_on_table(connection: duckdb.DuckDBPyConnection, statement: str, rows: pa.Table) -> list[Row]:
    """As `run_on_rows`."""
    connection.register("incoming", rows)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.unregister("incoming")


def arrow(columns: pa.Schema, rows: Sequence[Row]) -> pa.Table:
    return by_column(columns, dict(zip(columns.names, zip(*rows, strict=True), strict=True)))


def by_column(columns: pa.Schema, values: Mapping[str, Values]) -> pa.Table:
    """As `arrow`, of values that lie column by column under their names: several times faster where they come so."""
    return pa.Table.from_arrays([array(field.type, values[field.name]) for field in columns], schema=columns)


def array(kind: pa.DataType, values: Values) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    return _maps(values) if kind == MAP else pa.array(values, kind)


def _maps(values: Sequence[dict[str, str] | None]) -> pa.MapArray:
    """As Arrow's own conversion, which is many times slower: it wants each map as a list of pairs."""
    given = [value for value in values if value]
    keys = list(chain.from_iterable(given))
    items = list(chain.from_iterable(map(dict.values, given)))
    offsets: list[int | None] = [0] * (len(values) + 1)
    if given or None in values:
        offsets = list(accumulate([len(value or ()) for value in values], initial=0))
        for at, value in enumerate(values):
            if value is None:
                offsets[at] = None  # of a NULL it is not where it begins
    return pa.MapArray.from_arrays(pa.array(offsets, SHORT), pa.array(keys, TEXT), pa.array(items, TEXT))
