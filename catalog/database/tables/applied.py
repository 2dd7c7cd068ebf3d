"""How far the log has been applied, and which catalog this is. One row."""

from __future__ import annotations

import duckdb

from catalog.records import Position


def begin(connection: duckdb.DuckDBPyConnection, catalog_id: bytes, position: Position) -> None:
    """Make an empty database that of a catalog whose log begins at `position`."""
    connection.execute("UPDATE private.applied SET catalog_id = ?", [catalog_id])
    advance(connection, position)


def identity(connection: duckdb.DuckDBPyConnection) -> bytes | None:
    """The catalog's id; None in a database that was never begun."""
    ((catalog_id,),) = connection.execute("SELECT catalog_id FROM private.applied").fetchall()
    return None if catalog_id is None else bytes(catalog_id)


def position(connection: duckdb.DuckDBPyConnection) -> Position:
    (row,) = connection.execute("SELECT segment, log_offset, seq, chain FROM private.applied").fetchall()
    return Position(*row)


def advance(connection: duckdb.DuckDBPyConnection, position: Position) -> None:
    connection.execute(
        "UPDATE private.applied SET segment = ?, log_offset = ?, seq = ?, chain = ?",
        [position.segment, position.offset, position.seq, position.chain],
    )
