"""When checkpoints close the gaps that removed rows leave.

DuckDB would merge neighbouring row groups as soon as the rows of four fit into three: at every checkpoint it would
write three rows anew for each that it gets rid of. Row groups of which nothing is left go in any case. So the rest
waits until half of a table is gaps: then one row is written anew for each.
"""

from __future__ import annotations

import duckdb

from catalog.database.tables import applied
from catalog.database.transaction import transaction

SETTING = "max_vacuum_tasks"  # merges a checkpoint may make; of each table, which is why they are few
TASKS = 2
ALL = 1000
LEAST = 250_000  # rows removed: about two row groups

_TABLES = ("objects", "usage_settled", "usage_changes", "uploads", "parts")
_GAPS = " UNION ALL ".join(
    f"SELECT estimated_size AS rows, (SELECT count(*) FROM private.{name}) AS living"
    f" FROM duckdb_tables() WHERE schema_name = 'private' AND table_name = '{name}'"
    for name in _TABLES
)


def adjust(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the next checkpoints merge row groups where a table has come to be gaps for the most part."""
    ((due,),) = connection.execute(
        f"SELECT bool_or(rows - living > greatest(living, {LEAST})) FROM ({_GAPS})"
    ).fetchall()
    _let(connection, TASKS if due else 0)


def checkpoint(connection: duckdb.DuckDBPyConnection) -> None:
    """Close all gaps. Raises duckdb.Error where a query is in the way."""
    _let(connection, ALL)
    try:
        with transaction(connection):  # a checkpoint that has nothing to write down merges nothing either
            applied.advance(connection, applied.position(connection))
        connection.execute("CHECKPOINT")
    finally:
        _let(connection, 0)


def _let(connection: duckdb.DuckDBPyConnection, tasks: int) -> None:
    connection.execute(f"SET GLOBAL {SETTING} = {tasks}")
