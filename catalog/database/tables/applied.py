"""How far the log has been applied, and which catalog this is. One row."""

from __future__ import annotations

import duckdb

from catalog.records import Position


def begin(connection: duckdb.DuckDBPyConnection, catalog_id: bytes, position: Position) -> None:
    """Make an empty database that of a catalog whose log begins at `position`."""
    _replace(connection, catalog_id, position)


def identity(connection: duckdb.DuckDBPyConnection) -> bytes | None:
    """The catalog's id; None in a database that was never begun."""
    ((catalog_id,),) = connection.execute("SELECT catalog_id FROM private.applied").fetchall()
    return None if catalog_id is None else bytes(catalog_id)


def position(connection: duckdb.DuckDBPyConnection) -> Position:
    (row,) = connection.execute("SELECT segment, log_offset, seq, chain FROM private.applied").fetchall()
    return Position(*row)


def advance(connection: duckdb.DuckDBPyConnection, position: Position) -> None:
    _replace(connection, identity(connection), position)


def _replace(connection: duckdb.DuckDBPyConnection, catalog_id: bytes | None, position: Position) -> None:
    """No UPDATE: DuckDB cannot checkpoint while a query is open that began before one, and the log behind it grows."""
    connection.execute("DELETE FROM private.applied")
    connection.execute(
        "INSERT INTO private.applied VALUES (?, ?, ?, ?, ?)",
        [catalog_id, position.segment, position.offset, position.seq, position.chain],
    )
