"""The catalog as whoever has opened its database has it: nobody else can, until it is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from catalog.database import bodies, kept
from catalog.database.dumping import Dump
from catalog.database.follower import Follower
from catalog.database.frames import (
    Columns,
    End,
    Holders,
    KeepValidations,
    OfTable,
    Rows,
    Schema,
    Sql,
    Status,
    Storage,
    View,
)
from catalog.database.limits import Limits
from catalog.database.mending import mend, recount
from catalog.database.query import Query
from catalog.database.rotation import Rotation
from catalog.database.schema import take_schema
from catalog.database.source import Source
from catalog.database.status import take_status
from catalog.database.storage import take_storage
from catalog.database.tables import points
from catalog.database.views import change, every
from catalog.records import Piece, Position


class Local:
    """Answers what the catalog process would: see `Reached`."""

    def __init__(self, directory: Path, connection: duckdb.DuckDBPyConnection, source: Source, limits: Limits) -> None:
        self._directory = directory
        self._limits = limits
        self._connection = connection
        self._source = source
        self._follower = Follower(connection, source)
        self._rotation = Rotation(directory)

    def sql(self, asked: Sql) -> Generator[Columns | Rows | End]:
        self._follower.catch_up()
        seconds = asked.seconds or self._limits.seconds
        what = (asked.statement, asked.owner, asked.form)
        query = Query(self._connection, *what, self._limits, asked.parameters, self._rotation, asked.plain)
        timer = threading.Timer(seconds, query.stop, [f"the query took longer than {seconds:g} seconds"])
        timer.start()
        try:
            yield from query.run()
        finally:
            timer.cancel()

    def views(self) -> list[View]:
        return every(self._connection)

    def change_view(self, action: str, name: str, text: str) -> None:
        self._follower.catch_up()
        with self._rotation.shown(self._connection):
            change(self._connection, action, name, text)
        kept.keep(self._connection)

    def name_point(self, bucket: str, name: str, seq: int) -> None:
        self._follower.catch_up()
        points.put(self._connection, bucket, name, seq)
        kept.keep(self._connection)

    def keep_validations(self, given: KeepValidations) -> None:
        kept.keep_validations(self._connection, given)

    def holders(self, body: Piece) -> Holders:
        self._follower.catch_up()
        return bodies.holders(self._connection, self._source, body)

    def mend(self, bucket_id: int, keys: list[str]) -> None:
        self._follower.mend(mend, bucket_id, keys)

    def recount(self) -> None:
        self._follower.mend(recount)

    def schema(self) -> Schema:
        return take_schema(self._connection)

    def storage(self) -> Storage:
        return take_storage(self._connection, self._directory, self._limits)

    def tables(self, secrets: bool) -> Iterator[OfTable | Rows | End]:
        self._follower.catch_up()
        return Dump(self._connection, secrets).run()

    def checkpoint(self) -> None:
        self._follower.catch_up()
        self._follower.vacuum()

    def status(self) -> Status:
        return take_status(self._directory, self._connection, self._follower, self._source)

    def sync(self) -> Position:
        self._follower.catch_up()
        return self._follower.applied

    @contextmanager
    def held(self, copy: Callable[[], None]) -> Iterator[Position]:
        copy()
        yield self._follower.applied
