"""When checkpoints close the gaps that removed rows leave.

DuckDB would merge neighbouring row groups as soon as the rows of four fit into three: at every checkpoint it would
write three rows anew for each that it gets rid of. Row groups of which nothing is left go in any case. So the rest
waits until half of a table is gaps: then one row is written anew for each.
"""

from __future__ import annotations

import duckdb

SETTING = "max_vacuum_tasks"  # merges a checkpoint may make; of each table, which is why they are few
TASKS = 2
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
    connection.execute(f"SET GLOBAL {SETTING} = {TASKS if due else 0}")
