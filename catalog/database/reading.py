"""What is read of the database on a cursor of its own, and can be stopped meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb
import pyarrow as pa

from catalog.errors import QueryFailed, QueryStopped

BEGIN = "BEGIN TRANSACTION READ ONLY"


class Reading:
    """Who derives from it reads in one thread; `stop` may be called from any."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._cursor = connection.cursor()
        self._stopped: str | None = None

    def stop(self, why: str) -> None:
        """May have to be said more than once: DuckDB forgets it where it comes between two statements."""
        self._stopped = why
        with suppress(duckdb.Error):
            self._cursor.interrupt()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """The transaction and the cursor end with the block. Raises QueryFailed or QueryStopped for DuckDB's errors."""
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError) as problem:
            self._raise_if_stopped()
            raise QueryFailed(str(problem)) from None
        finally:
            with suppress(duckdb.Error):
                self._cursor.rollback()
            self._cursor.close()

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise QueryStopped(self._stopped)
