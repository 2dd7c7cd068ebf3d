"""What the database consists of: the public views and macros, and the private tables behind them with their sizes."""

from __future__ import annotations

import duckdb

from catalog.database.frames import Schema, Table
from catalog.database.registry import MACROS, VIEWS

_PRIVATE = "SELECT table_name, index_count FROM duckdb_tables() WHERE schema_name = 'private' ORDER BY table_name"
_BLOCKS = "SELECT count(DISTINCT block_id) FROM pragma_storage_info('private.{name}') WHERE persistent"


def take_schema(connection: duckdb.DuckDBPyConnection) -> Schema:
    """Sizes are of the blocks in the file that a table has a part in; one block may be of several tables."""
    views = [Table(view.name, "view", view.description, _described(connection, view.name)) for view in VIEWS.values()]
    macros = [
        Table(macro.name + macro.body[: macro.body.index(")") + 1], "macro", macro.description)
        for macro in MACROS.values()
    ]
    ((block,),) = connection.execute("SELECT block_size FROM pragma_database_size()").fetchall()
    tables = []
    for name, indexes in connection.execute(_PRIVATE).fetchall():
        ((rows,),) = connection.execute(f"SELECT count(*) FROM private.{name}").fetchall()
        ((blocks,),) = connection.execute(_BLOCKS.format(name=name)).fetchall()
        tables.append(
            Table(name, "table", "", _described(connection, f"private.{name}"), rows, blocks * block, indexes)
        )
    ((version,),) = connection.execute("SELECT max(version) FROM private.schema_version").fetchall()
    return Schema([*views, *macros, *tables], version)


def _described(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
    return [(column, kind) for column, kind, *_ in connection.execute(f"DESCRIBE {name}").fetchall()]
