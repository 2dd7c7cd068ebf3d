"""Questions to the catalog of a data folder: to its catalog process if that runs, else by opening the database here."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import pyarrow as pa
from msgspec.structs import replace

from catalog.database.connection import open_database
from catalog.database.formats import write_parquet
from catalog.database.frames import (
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
)
from catalog.database.limits import Limits
from catalog.database.line import Line, connect
from catalog.database.local import Local
from catalog.database.ownership import DatabaseBusy, owning
from catalog.database.source import open_source
from catalog.database.values import values
from catalog.errors import CatalogUnusable, QueryFailed
from catalog.records import Piece, Position
from catalog.store import Catalog

PATIENCE = 30.0  # seconds for a process that has the database, but does not answer yet, to do so
_PAUSE = 0.1


@dataclass(frozen=True)
class Result:
    """`types` are DuckDB's names; maps come as dicts, times as datetimes, intervals as text."""

    columns: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]


def query(directory: Path, statement: str, seconds: float = 0.0) -> Result:
    """The whole result. Raises QueryRefused, QueryFailed, QueryStopped, CatalogUnusable."""
    with reach(directory) as catalog:
        return fetch(catalog, Sql(statement, seconds))


def fetch(catalog: Reached, asked: Sql, most: int = 0) -> Result:
    """As `query`. `form` is to be as it is unless said otherwise.

    Of more than `most` rows, where that is not 0, only some more than those are there; nothing else can be asked then.
    """
    columns = Columns([], [])
    rows: list[tuple[Any, ...]] = []
    with closing(catalog.sql(asked)) as answers:
        for answer in answers:
            if isinstance(answer, Columns):
                columns = answer
            elif isinstance(answer, Rows):
                rows += values(answer, columns.types)
                if 0 < most < len(rows):
                    break
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
    raise QueryFailed("the answer has no end")


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
        connected = connect(directory)
        if connected is not None:
            return Remote(Line(directory, stack.enter_context(connected)))
        try:
            return stack.enter_context(_opened(directory, limits, catalog))
        except DatabaseBusy:
            if time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE)


@contextmanager
def _opened(directory: Path, limits: Limits, catalog: Catalog | None) -> Iterator[Local]:
    opening = open_source(directory) if catalog is None else nullcontext(catalog.tail())
    with opening as source, owning(directory), open_database(directory, limits) as connection:
        yield Local(directory, connection, source, limits)


class Remote:
    """The catalog process at the other end of a line. One question at a time; an answer is read to its end."""

    def __init__(self, line: Line) -> None:
        self._line = line

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
        self._line.send(request)
        while not isinstance(answer := self._line.receive(), End):
            yield answer
        yield answer

    def _ask(self, request: Frame) -> Answer:
        self._line.send(request)
        return self._line.receive()
