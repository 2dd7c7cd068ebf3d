"""Requests that were served, from the workers' files into Parquet: at once for a query, else in the background.

Nothing is kept of what was done but the files; by their names work that was broken off is done again, and no row twice.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path

import duckdb
import pyarrow as pa

from catalog.database import served
from catalog.database.served import File
from catalog.database.tables import views
from catalog.requests import FOLDER, INCOMING, opened, take, waiting

PAUSE = 5.0
ENOUGH = 16 << 20  # bytes that are rotated without waiting for more
LATE = 60.0  # seconds after which rows are rotated however few they are
MUCH = 128 << 20  # bytes that wait, from which on rests are short
RESTS = 40.0  # times as long as it works: of a core that is short it takes a fortieth
SHORT_RESTS = 1.0
MERGED = 8  # files of like size that become one
SMALL = 64 << 10  # bytes: below that all are alike
LARGE = 32 << 20  # bytes of a file made of several, at most
VARIABLE = "requests"
_TAKEN = ".taken"

log = logging.getLogger(__name__)


class Rotation:
    """`settle` and `shown` from any thread, `step` from one. It belongs to whoever owns the database."""

    def __init__(self, directory: Path, days: int = 0) -> None:
        """Files of more than so many `days` ago are removed; 0 keeps all."""
        self._directory = directory.absolute()
        self._folder = self._directory / FOLDER
        self._days = days
        self._working = threading.Lock()
        self._hurried = threading.Event()
        self._stopped = False
        self._listing = threading.Lock()  # of what follows
        self._readers: dict[object, int] = {}  # how many changes there had been when each began
        self._void: dict[Path, int] = {}  # by which change they became so
        self._changes = 0
        served.tidy(self._folder)

    @contextmanager
    def shown(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """The view has on this connection all that was written before; its files stay until the end."""
        try:
            self.settle()
        except (OSError, pa.ArrowException):  # a full disk: what there is can be shown
            log.exception("the requests that were served last cannot be shown")
        reader = object()
        with self._listing:
            self._readers[reader] = self._changes
            files = [file for file in served.valid(self._folder)[0] if file.path not in self._void]
        try:
            connection.execute(f"SET VARIABLE {VARIABLE} = ?", [served.reading(files)])
            yield
        finally:
            with self._listing:
                del self._readers[reader]

    def settle(self) -> None:
        """Rotate all that was written before the call. Raises OSError."""
        self._hurried.set()
        with self._working:
            self._hurried.clear()
            for _ in self._rotate():
                pass

    async def run(self) -> None:
        """Until `stop`."""
        while not self._stopped:
            try:
                await asyncio.to_thread(self.step)
            except (OSError, pa.ArrowException):
                log.exception("the requests that were served cannot be rotated; trying again")
            await asyncio.to_thread(self._hurried.wait, PAUSE)

    def step(self) -> None:
        """What is due now, in short pieces of work with long rests between them. Raises OSError."""
        with self._working:
            if self._due():
                self._resting(self._rotate())
        self._resting(self._merge())
        self._remove()

    def stop(self) -> None:
        self._stopped = True
        self._hurried.set()

    def _resting(self, work: Generator[None]) -> None:
        """Without rests once somebody waits."""
        with closing(work):
            while not self._stopped:
                began = time.thread_time()
                if next(work, work) is work:
                    return
                rests = SHORT_RESTS if self._waiting_bytes() > MUCH else RESTS
                self._hurried.wait(rests * (time.thread_time() - began))

    def _due(self) -> bool:
        oldest = min(map(opened, waiting(self._directory)), default=None)
        late = oldest is not None and time.time() - oldest > LATE
        return late or self._waiting_bytes() > ENOUGH or bool(self._taken())

    def _waiting_bytes(self) -> int:
        return sum(path.stat().st_size for path in (*waiting(self._directory), *self._taken()))

    def _taken(self) -> list[Path]:
        return sorted((self._folder / INCOMING).glob(f"*{_TAKEN}"))

    def _rotate(self) -> Generator[None]:
        for path in waiting(self._directory):
            if path.stat().st_size or time.time() - opened(path) > LATE:
                take(path, path.with_name(f"{self._next_number():016x}{_TAKEN}"))
        for path in self._taken():
            number = int(path.stem, 16)
            yield from served.write(self._folder, served.tables(path), number, number)
            path.unlink()

    def _next_number(self) -> int:
        """The time, or what is beyond all that were given."""
        given = [int(path.stem, 16) for path in self._taken()] + [file.last for file in served.every(self._folder)]
        return max([time.time_ns() // 1000, *(number + 1 for number in given)])

    def _merge(self) -> Generator[None]:
        for run in runs(served.valid(self._folder)[0], _today()):
            yield from served.write(self._folder, served.read(run), run[0].first, run[-1].last)

    def _remove(self) -> None:
        """What is void or too old, once no query that began before reads it."""
        with self._listing:
            files, void = served.valid(self._folder)
            if self._days:
                void += [file for file in files if file.day <= _today() - timedelta(self._days)]
            for file in void:
                if file.path not in self._void:
                    self._changes += 1
                    self._void[file.path] = self._changes
            oldest = min(self._readers.values(), default=self._changes)
            going = [path for path, change in self._void.items() if change <= oldest]
            for path in going:
                del self._void[path]
                path.unlink()
        for folder in {path.parent for path in going}:
            with suppress(OSError):  # not empty
                folder.rmdir()


def reads_requests(connection: duckdb.DuckDBPyConnection, statement: str) -> bool:
    """Whether it may: it names the view, or one of the operator's own while any of those does."""
    statement = statement.lower()
    if VARIABLE in statement:
        return True
    own = views.every(connection)
    return any(row.name in statement for row in own) and any(VARIABLE in row.statement.lower() for row in own)


def runs(files: list[File], today: date) -> Iterator[list[File]]:
    """Those of a day that are to be made one: eight of like size in a row; once the day is over all, up to `LARGE`."""
    for day, of_day in groupby(files, lambda file: file.day):
        if day >= today:
            yield from (run for run in _alike(of_day) if len(run) >= MERGED and run[0].size * MERGED < LARGE)
        else:
            yield from (run for run in _filled(of_day) if len(run) > 1)


def _alike(files: Iterator[File]) -> Iterator[list[File]]:
    return (list(alike) for _, alike in groupby(files, lambda file: (file.size // SMALL).bit_length() // 3))


def _filled(files: Iterator[File]) -> Iterator[list[File]]:
    run: list[File] = []
    for file in files:
        if run and sum(each.size for each in run) + file.size > LARGE:
            yield run
            run = []
        run.append(file)
    yield run


def _today() -> date:
    return datetime.now(UTC).date()
