"""The catalog in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from catalog.database.client import reach
from catalog.database.frames import Rows, Sql, Value

if TYPE_CHECKING:
    import pandas as pd

    from catalog.queries.backend import Backend


class Handle:
    """Answers questions in SQL about a data folder, whether a server runs on it or not; it can change nothing.

    Between questions it holds nothing: a server may be started and stopped meanwhile. In a statement `$name` stands for
    a parameter. Every question may raise QueryRefused, QueryFailed, QueryStopped, CatalogUnusable.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._results = duckdb.connect()

    def sql(self, statement: str, **parameters: Value) -> duckdb.DuckDBPyRelation:
        """The result, for further work in DuckDB. Results of one handle can be joined."""
        return self._results.from_arrow(self.arrow(statement, **parameters))

    def df(self, statement: str, **parameters: Value) -> pd.DataFrame:
        """A map is a dict, a time without a zone."""
        return self.sql(statement, **parameters).df()

    def arrow(self, statement: str, **parameters: Value) -> pa.Table:
        return self.batches(statement, **parameters).read_all()

    def batches(self, statement: str, **parameters: Value) -> pa.RecordBatchReader:
        """As they come. Until the last one is read, or the reader is gone, a catalog that nobody serves is held."""
        batches = self._batches(Sql(statement, parameters=parameters))
        empty = next(batches)
        return pa.RecordBatchReader.from_batches(empty.schema, batches)

    def ibis(self) -> Backend:
        """The views as Ibis's tables, where Ibis is installed: `pip install 'ducket[ibis]'`."""
        from catalog.queries.backend import Backend

        backend: Backend = Backend().connect(self._directory)
        return backend

    def _batches(self, asked: Sql) -> Iterator[pa.RecordBatch]:
        """The first has no rows."""
        with reach(self._directory) as catalog, closing(catalog.sql(asked)) as answers:
            for answer in answers:
                if isinstance(answer, Rows):
                    yield from pa.ipc.open_stream(answer.data)
