"""The private tables as they are, all as of one moment: what an export has beside the views, to be imported again."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress

import duckdb
import pyarrow as pa

from catalog.database.formats import separate_streams
from catalog.database.frames import End, OfTable, Rows
from catalog.errors import QueryFailed, QueryStopped

SECRET = ("users",)  # tables that are left out where secrets are not asked for
_BATCH = 65_536
_TABLES = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'private' ORDER BY table_name"


class Dump:
    """`run` in one thread, `stop` from any."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, secrets: bool) -> None:
        self._cursor = connection.cursor()
        self._secrets = secrets
        self._stopped: str | None = None

    def run(self) -> Generator[OfTable | Rows | End]:
        """Each table's name, then its rows. Raises QueryFailed, QueryStopped."""
        count = 0
        try:
            self._cursor.execute("BEGIN TRANSACTION READ ONLY")
            for (name,) in self._cursor.execute(_TABLES).fetchall():
                if self._secrets or name not in SECRET:
                    yield OfTable(name)
                    reader = self._cursor.sql(f"FROM private.{name}").to_arrow_reader(_BATCH)
                    for piece in separate_streams(reader.schema, reader, self._cursor):
                        self._raise_if_stopped()
                        yield Rows(piece)
                    count += 1
            yield End(count)
        except (duckdb.Error, pa.ArrowException, OSError) as problem:
            self._raise_if_stopped()
            raise QueryFailed(str(problem)) from None
        finally:
            with suppress(duckdb.Error):
                self._cursor.rollback()
            self._cursor.close()

    def stop(self, why: str) -> None:
        """As `Query.stop`."""
        self._stopped = why
        with suppress(duckdb.Error):
            self._cursor.interrupt()

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise QueryStopped(self._stopped)
