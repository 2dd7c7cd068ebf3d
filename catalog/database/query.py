"""One SQL query: on a connection of its own, in a read-only transaction, its result in Arrow batches."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress

import duckdb
import pyarrow as pa

from catalog.database.frames import Columns, End, Rows
from catalog.database.guard import check
from catalog.database.registry import see
from catalog.errors import QueryFailed, QueryStopped

_BATCH = 16_384


class Query:
    """`run` in one thread, `stop` from any."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, statement: str, owner: str | None = None) -> None:
        """It sees the buckets of a user, by its id; all for None."""
        self._cursor = connection.cursor()
        see(self._cursor, owner)
        self._statement = statement
        self._stopped: str | None = None

    def run(self) -> Generator[Columns | Rows | End]:
        """The result as it comes. Raises QueryRefused, QueryFailed, QueryStopped."""
        try:
            statement = check(self._cursor, self._statement)
            self._cursor.execute("BEGIN TRANSACTION READ ONLY")
            self._raise_if_stopped()
            yield from self._result(statement)
        except (duckdb.Error, pa.ArrowException, OSError) as problem:
            self._raise_if_stopped()
            raise QueryFailed(str(problem)) from None
        finally:
            with suppress(duckdb.Error):
                self._cursor.rollback()
            self._cursor.close()

    def stop(self, why: str) -> None:
        """May have to be said more than once: DuckDB forgets it where it comes between two statements."""
        self._stopped = why
        with suppress(duckdb.Error):
            self._cursor.interrupt()

    def _result(self, statement: str) -> Generator[Columns | Rows | End]:
        relation = self._cursor.sql(statement)
        yield Columns(relation.columns, [str(kind) for kind in relation.types])
        count = 0
        for batch in relation.to_arrow_reader(_BATCH):
            self._raise_if_stopped()
            count += batch.num_rows
            yield Rows(_stream(batch))
        self._raise_if_stopped()
        yield End(count)

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise QueryStopped(self._stopped)


def _stream(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())
