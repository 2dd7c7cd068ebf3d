"""Keeps the database up with its source."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import duckdb

from catalog.database import bodies, kept, vacuum
from catalog.database.applier import apply, of_one_day
from catalog.database.refill import refill
from catalog.database.source import Source
from catalog.database.tables import applied
from catalog.database.transaction import transaction
from catalog.errors import CatalogUnusable, QueryFailed
from catalog.log import beginning
from catalog.records import LogRecord, Position

BATCH = 16_384
TELL_AFTER = 10_000  # mutations applied; to say so takes the lock that writers take
VACUUM_AFTER = 100_000  # about a checkpoint's worth of mutations
TRIES = 100

# Given the database, what the index holds, the mutations that it has and the database has not, and further arguments:
# whether it could be done, which it cannot where those mutations are about the same.
Mending = Callable[..., bool]

log = logging.getLogger(__name__)


class Follower:
    """`applied` is how much of the log the database holds for good."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: Source) -> None:
        """Raises CatalogUnusable where the database is another catalog's."""
        self._connection = connection
        self._kept: date | None = None
        self._source = source
        self._told = -TELL_AFTER
        self._since = VACUUM_AFTER  # mutations applied since the tables were last looked at for gaps
        known = applied.identity(connection)
        if known is not None and known != source.catalog_id:
            raise CatalogUnusable("catalog.duckdb and the commit log in log/ belong to different catalogs")
        self.applied = beginning(source.catalog_id) if known is None else applied.position(connection)
        end = source.end()
        if self.applied.seq > end.seq:
            raise CatalogUnusable(
                f"catalog.duckdb has sequence number {self.applied.seq}, but log/ and index/ end at {end.seq}: "
                "they are of an earlier time; restore all of the data folder from one backup"
            )
        if known is None:
            kept.restore(connection, source.catalog_id)
        if not source.reaches(self.applied):
            self._refill("the log does not go on from there")
        elif known is None:
            with transaction(connection):
                applied.begin(connection, source.catalog_id, self.applied)
        self._tell()

    def behind(self) -> int:
        """How many mutations were acknowledged and are not applied yet."""
        return self._source.end().seq - self.applied.seq

    def step(self) -> None:
        """Apply the next batch of what was acknowledged, and say so now and then, again where only that failed.

        Called from one thread at a time.
        """
        end = self._source.end()
        if self.applied.seq < end.seq:
            try:
                records, position = self._next(end)
            except CatalogUnusable as problem:
                self._refill(problem.why)
                return
            self._since += apply(self._connection, records, position)
            self.applied = position
            if self._since > VACUUM_AFTER:
                vacuum.adjust(self._connection)
                self._since = 0
        self._tell()

    def catch_up(self) -> None:
        """Apply everything that was acknowledged before the call."""
        end = self._source.end()
        while self.applied.seq < end.seq:
            self.step()

    def drop_segments(self) -> None:
        """A few, of those that hold nothing which the database lacks, and no body."""
        self._source.drop_dead_segments(self.applied, partial(bodies.in_segment, self._connection))

    def keep_history(self) -> None:
        """Write beside the database what it alone knows, once a day: see `kept`. Raises QueryFailed."""
        today = datetime.now(UTC).date()
        if self._kept != today and not self.behind():
            kept.keep(self._connection)
            kept.forget_validations(self._connection)
            if kept.keep_days(self._connection, today):
                self._kept = today

    def checkpoint(self) -> None:
        """Take the write-ahead log into the database's file. Raises duckdb.Error where a query is in the way."""
        self._connection.execute("CHECKPOINT")

    def vacuum(self) -> None:
        """As `checkpoint`, and close the gaps that removed rows left."""
        vacuum.checkpoint(self._connection)

    def mend(self, work: Mending, *given: Any) -> None:
        """Do something about the rows, by what the key index holds at the same point. Raises QueryFailed."""
        try:
            for _ in range(TRIES):
                self.catch_up()
                with self._source.contents() as contents:
                    since, reached = self._source.read(self.applied, contents.position(), BATCH)
                    mutations = [record.mutation for _, record in since]
                    if reached == contents.position() and work(self._connection, contents, mutations, *given):
                        return
        except duckdb.Error as problem:
            raise QueryFailed(str(problem)) from None
        raise QueryFailed("it is written to all the time")

    def _next(self, end: Position) -> tuple[list[tuple[int, LogRecord]], Position]:
        """What is to be applied at once. Raises CatalogUnusable where the log is broken."""
        records, position = self._source.read(self.applied, end, BATCH)
        count = of_one_day(records)
        if count < len(records):
            return self._source.read(self.applied, end, count)
        return records, position

    def _tell(self) -> None:
        if self.applied.seq >= self._told + TELL_AFTER:
            self._source.tell_applied(self.applied)
            self._told = self.applied.seq

    def _refill(self, why: str) -> None:
        """Where the log is lost the key index, which is whole, says what there is; only history is missing then."""
        with self._source.contents() as contents:
            log.warning("catalog.duckdb has mutation %s; %s. Making its tables of the key index", self.applied.seq, why)
            kept = refill(self._connection, self._source.catalog_id, contents)
            self.applied = contents.position()
        self._tell()
        log.warning(
            "catalog.duckdb is up to mutation %s again; the journal is complete up to %s, and from there to here "
            "has only the versions that still are, without who made them",
            self.applied.seq,
            kept,
        )
