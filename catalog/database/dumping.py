"""The private tables as they are, all as of one moment: what an export has beside the views, to be imported again."""

from __future__ import annotations

from collections.abc import Generator

import duckdb

from catalog.database.formats import separate_streams
from catalog.database.frames import End, OfTable, Rows
from catalog.database.reading import BEGIN, Reading

SECRET = ("users",)  # tables that are left out where secrets are not asked for
_BATCH = 65_536
TABLES = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'private' ORDER BY table_name"


class Dump(Reading):
    def __init__(self, connection: duckdb.DuckDBPyConnection, secrets: bool) -> None:
        super().__init__(connection)
        self._secrets = secrets

    def run(self) -> Generator[OfTable | Rows | End]:
        """Each table's name, then its rows. Raises QueryFailed, QueryStopped."""
        count = 0
        with self._ending():
            self._cursor.execute(BEGIN)
            for (name,) in self._cursor.execute(TABLES).fetchall():
                if self._secrets or name not in SECRET:
                    yield OfTable(name)
                    reader = self._cursor.sql(f"FROM private.{name}").to_arrow_reader(_BATCH)
                    for piece in separate_streams(reader.schema, reader, self._cursor):
                        self._raise_if_stopped()
                        yield Rows(piece)
                    count += 1
            yield End(count)
