"""Questions to the catalog of a data folder: to its catalog process if that runs, else by opening the database here."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import duckdb
import pyarrow as pa
from msgspec.structs import replace

from catalog.database import bodies, kept
from catalog.database.connection import open_database
from catalog.database.dumping import Dump
from catalog.database.follower import Follower
from catalog.database.formats import write_parquet
from catalog.database.frames import (
    LENGTH,
    SOCKET,
    Answer,
    AskCheckpoint,
    AskHolders,
    AskSchema,
    AskStatus,
    AskStorage,
    AskTables,
    AskViews,
    ChangeView,
    Columns,
    End,
    Failure,
    Frame,
    Held,
    Hold,
    Holders,
    KeepValidations,
    Mend,
    NamePoint,
    OfTable,
    Recount,
    Release,
    Rows,
    Schema,
    Sql,
    Status,
    Storage,
    Sync,
    Synced,
    View,
    Views,
    decode_answer,
    pack,
)
from catalog.database.limits import Limits
from catalog.database.mending import mend, recount
from catalog.database.ownership import DatabaseBusy, owning
from catalog.database.query import Query
from catalog.database.rotation import Rotation
from catalog.database.schema import take_schema
from catalog.database.source import Source, open_source
from catalog.database.status import take_status
from catalog.database.storage import take_storage
from catalog.database.tables import points
from catalog.database.values import values
from catalog.database.views import change, every
from catalog.errors import CatalogUnusable, QueryFailed
from catalog.records import Piece, Position
from catalog.store import Catalog

PATIENCE = 30.0  # seconds for a process that has the database, but does not answer yet, to do so
_PAUSE = 0.1
_GONE = "the catalog process went away before it had answered"


@dataclass(frozen=True)
class Result:
    """`types` are DuckDB's names; maps come as dicts, times as datetimes."""

    columns: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]


def query(directory: Path, statement: str, seconds: float = 0.0) -> Result:
    """The whole result. Raises QueryRefused, QueryFailed, QueryStopped, CatalogUnusable."""
    with reach(directory) as catalog:
        return fetch(catalog, Sql(statement, seconds))


def fetch(catalog: Reached, asked: Sql) -> Result:
    """As `query`. `form` is to be as it is unless said otherwise."""
    columns = Columns([], [])
    rows: list[tuple[Any, ...]] = []
    for answer in catalog.sql(asked):
        if isinstance(answer, Columns):
            columns = answer
        elif isinstance(answer, Rows):
            rows += values(answer, columns.types)
    return Result(columns.names, columns.types, rows)


def write(catalog: Reached, asked: Sql, target: IO[bytes]) -> int:
    """Write the result in the form that is asked for, as it comes; how many rows it had."""
    if asked.form == "parquet":
        return _write_parquet(catalog, replace(asked, form="separate"), target)
    for answer in catalog.sql(asked):
        if isinstance(answer, Rows):
            target.write(answer.data)
        elif isinstance(answer, End):
            return answer.rows
    raise QueryFailed(_GONE)


def _write_parquet(catalog: Reached, asked: Sql, target: IO[bytes]) -> int:
    pieces = (answer.data for answer in catalog.sql(asked) if isinstance(answer, Rows))
    batches = (batch for piece in pieces for batch in pa.ipc.open_stream(piece))
    first = next(batches)
    return write_parquet(first.schema, batches, target)


def status(directory: Path) -> Status:
    with reach(directory) as catalog:
        return catalog.status()


def sync(directory: Path) -> Position:
    """Apply everything that was acknowledged before; how far that is."""
    with reach(directory) as catalog:
        return catalog.sync()


class Reached(Protocol):
    def sql(self, asked: Sql) -> Generator[Columns | Rows | End]: ...
    def views(self) -> list[View]: ...
    def change_view(self, action: str, name: str, text: str) -> None: ...
    def name_point(self, bucket: str, name: str, seq: int) -> None: ...
    def keep_validations(self, given: KeepValidations) -> None: ...
    def holders(self, body: Piece) -> Holders: ...
    def mend(self, bucket_id: int, keys: list[str]) -> None: ...
    def recount(self) -> None: ...
    def schema(self) -> Schema: ...
    def storage(self) -> Storage: ...
    def tables(self, secrets: bool) -> Iterator[OfTable | Rows | End]: ...
    def checkpoint(self) -> None: ...
    def status(self) -> Status: ...
    def sync(self) -> Position: ...
    def held(self, copy: Callable[[], None]) -> AbstractContextManager[Position]:
        """`copy` is called while nothing is written to the database, whose position is given.

        Until the end no segment of the log is removed. Raises QueryFailed where that could not be kept.
        """
        ...


@contextmanager
def reach(directory: Path, limits: Limits | None = None, catalog: Catalog | None = None) -> Iterator[Reached]:
    """The catalog, wherever it is. Raises CatalogUnusable where neither the process answers nor the files are free.

    `limits` are for queries here; the process has its own. `catalog` is that of the directory, where this process has
    it open: it cannot be opened twice.
    """
    if not (directory / "log").exists():
        raise CatalogUnusable(f"there is no catalog in {directory}")
    with ExitStack() as stack:
        yield _reach(directory, stack, limits or Limits(), catalog)


def _reach(directory: Path, stack: ExitStack, limits: Limits, catalog: Catalog | None) -> Reached:
    deadline = time.monotonic() + PATIENCE
    while True:
        connected = _connect(directory)
        if connected is not None:
            return Remote(stack.enter_context(connected))
        try:
            return stack.enter_context(_opened(directory, limits, catalog))
        except DatabaseBusy:
            if time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE)


def _connect(directory: Path) -> socket.socket | None:
    place = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    connected = socket.socket(socket.AF_UNIX)
    try:
        connected.connect(f"/proc/self/fd/{place}/{SOCKET}")
    except (FileNotFoundError, ConnectionError):
        connected.close()
        return None
    finally:
        os.close(place)
    return connected


@contextmanager
def _opened(directory: Path, limits: Limits, catalog: Catalog | None) -> Iterator[Local]:
    opening = open_source(directory) if catalog is None else nullcontext(catalog.tail())
    with opening as source, owning(directory), open_database(directory, limits) as connection:
        yield Local(directory, connection, source, limits)


class Remote:
    """The catalog process at the other end of a socket. One question at a time; an answer is read to its end."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._incoming = connected.makefile("rb", buffering=256 * 1024)

    def sql(self, asked: Sql) -> Generator[Columns | Rows | End]:
        for answer in self._answers(asked):
            assert isinstance(answer, (Columns, Rows, End))
            yield answer

    def views(self) -> list[View]:
        answer = self._ask(AskViews())
        assert isinstance(answer, Views)
        return answer.views

    def change_view(self, action: str, name: str, text: str) -> None:
        """See `views.change`."""
        self._ask(ChangeView(action, name, text))

    def name_point(self, bucket: str, name: str, seq: int) -> None:
        """See `points.put`."""
        self._ask(NamePoint(bucket, name, seq))

    def keep_validations(self, given: KeepValidations) -> None:
        """See `kept.keep_validations`."""
        self._ask(given)

    def holders(self, body: Piece) -> Holders:
        """See `bodies.holders`."""
        answer = self._ask(AskHolders(body))
        assert isinstance(answer, Holders)
        return answer

    def mend(self, bucket_id: int, keys: list[str]) -> None:
        """See `mending.mend`."""
        self._ask(Mend(bucket_id, keys))

    def recount(self) -> None:
        """See `mending.recount`."""
        self._ask(Recount())

    def schema(self) -> Schema:
        answer = self._ask(AskSchema())
        assert isinstance(answer, Schema)
        return answer

    def storage(self) -> Storage:
        answer = self._ask(AskStorage())
        assert isinstance(answer, Storage)
        return answer

    def tables(self, secrets: bool) -> Iterator[OfTable | Rows | End]:
        """See `Dump.run`."""
        for answer in self._answers(AskTables(secrets)):
            assert isinstance(answer, (OfTable, Rows, End))
            yield answer

    def checkpoint(self) -> None:
        """Take the database's write-ahead log into its file and close its gaps. Raises QueryFailed."""
        self._ask(AskCheckpoint())

    def status(self) -> Status:
        answer = self._ask(AskStatus())
        assert isinstance(answer, Status)
        return answer

    def sync(self) -> Position:
        answer = self._ask(Sync())
        assert isinstance(answer, Synced)
        return answer.applied

    @contextmanager
    def held(self, copy: Callable[[], None]) -> Iterator[Position]:
        answer = self._ask(Hold())
        assert isinstance(answer, Held)
        copy()
        self._ask(Release())
        yield answer.applied
        self._ask(Release())

    def _answers(self, request: Frame) -> Iterator[Answer]:
        """One after another, to the End."""
        self._send(request)
        while not isinstance(answer := self._receive(), End):
            yield answer
        yield answer

    def _ask(self, request: Frame) -> Answer:
        self._send(request)
        return self._receive()

    def _send(self, request: Frame) -> None:
        try:
            self._socket.sendall(pack(request))
        except ConnectionError as problem:
            raise QueryFailed(_GONE) from problem

    def _receive(self) -> Answer:
        try:
            length = self._incoming.read(LENGTH)
            body = self._incoming.read(int.from_bytes(length, "big"))
        except ConnectionError as problem:
            raise QueryFailed(_GONE) from problem
        if len(length) < LENGTH or len(body) < int.from_bytes(length, "big"):
            raise QueryFailed(_GONE)
        answer = decode_answer(body)
        if isinstance(answer, Failure):
            raise answer.raised()
        return answer


class Local:
    """The database, opened here: nobody else has it."""

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
        query = Query(self._connection, *what, self._limits, asked.parameters, self._rotation)
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
