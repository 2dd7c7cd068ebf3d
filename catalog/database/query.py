"""One SQL query: on a connection of its own, in a read-only transaction, its result in batches as they come."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack

import duckdb
import pyarrow as pa

from catalog.database.formats import ENCODERS
from catalog.database.frames import Columns, End, Rows, Value
from catalog.database.guard import check
from catalog.database.limits import Limits
from catalog.database.reading import BEGIN, Reading
from catalog.database.registry import see, see_plainly
from catalog.database.rotation import Rotation, reads_requests
from catalog.errors import QueryRefused, QueryStopped

_BATCH = 16_384


class Query(Reading):
    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        statement: str,
        owner: str | None = None,
        form: str = "separate",
        limits: Limits | None = None,
        parameters: dict[str, Value] | None = None,
        rotation: Rotation | None = None,
        plain: bool = False,
    ) -> None:
        """It sees the buckets of a user, by its id; all for None. `form` is one of `formats.ENCODERS`.

        For `plain` see `Sql`. The result of what has `parameters` lies whole in memory before its first row is given.
        """
        super().__init__(connection)
        self._connection = connection
        self._statement = statement
        self._owner = owner
        self._form = form
        self._limits = limits or Limits()
        self._parameters = parameters or None
        self._rotation = rotation
        self._plain = plain and owner is None
        self._count = 0

    def run(self) -> Generator[Columns | Rows | End]:
        """The result as it comes. Raises QueryRefused, QueryFailed, QueryStopped."""
        with ExitStack() as held, self._ending():
            encode = ENCODERS.get(self._form)
            if encode is None:
                raise QueryRefused(f"there is no format {self._form}; there are {', '.join(ENCODERS)}")
            see(self._cursor, self._owner)
            if self._plain:
                see_plainly(self._cursor)
            self._cursor.execute(f"SET operator_memory_limit = '{self._limits.buffers_of_one()}MiB'")
            statement = check(self._cursor, self._statement, whole=self._owner is None)
            if self._rotation is not None and reads_requests(self._cursor, statement):
                held.enter_context(self._rotation.shown(self._cursor))
            self._cursor.execute(BEGIN)
            self._raise_if_stopped()
            relation = self._cursor.sql(statement, params=self._parameters)
            yield Columns(relation.columns, [str(kind) for kind in relation.types])
            reader = relation.to_arrow_reader(_BATCH)
            for piece in encode(reader.schema, self._batches(reader), self._connection):
                if piece:
                    yield Rows(piece)
            self._raise_if_stopped()
            yield End(self._count)

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        most = self._limits.rows
        for batch in reader:
            self._raise_if_stopped()
            self._count += batch.num_rows
            if most and self._count > most:
                raise QueryStopped(f"the result has more than {most} rows, which is as many as a query may give")
            yield batch
