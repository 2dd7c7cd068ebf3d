"""The catalog in a notebook."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from catalog.database.client import reach
from catalog.database.frames import Rows, Sql, Value


class Handle:
    """Answers questions in SQL about a data folder, whether a server runs on it or not; it can change nothing.

    Between questions it holds nothing: a server may be started and stopped meanwhile.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._results = duckdb.connect()

    def sql(self, statement: str, **parameters: Value) -> duckdb.DuckDBPyRelation:
        """The result, for further work in DuckDB; `$name` in the statement stands for a parameter.

        Raises QueryRefused, QueryFailed, QueryStopped, CatalogUnusable.
        """
        return self._results.from_arrow(self.arrow(statement, **parameters))

    def arrow(self, statement: str, **parameters: Value) -> pa.Table:
        """As `sql`."""
        with reach(self._directory) as catalog:
            answers = catalog.sql(Sql(statement, parameters=parameters))
            pieces = [pa.ipc.open_stream(answer.data).read_all() for answer in answers if isinstance(answer, Rows)]
        return pa.concat_tables(pieces)
