"""Keeps the database up with its source."""

from __future__ import annotations

import duckdb

from catalog.database.applier import apply
from catalog.database.source import Source
from catalog.database.tables import applied
from catalog.errors import CatalogUnusable
from catalog.log import beginning

BATCH = 16_384


class Follower:
    """`applied` is how much of the log the database holds for good."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: Source) -> None:
        """Raises CatalogUnusable where the database is another catalog's."""
        self._connection = connection
        self._source = source
        known = applied.identity(connection)
        if known is None:
            applied.begin(connection, source.catalog_id, beginning(source.catalog_id))
        elif known != source.catalog_id:
            raise CatalogUnusable("catalog.duckdb and the commit log in log/ belong to different catalogs")
        self.applied = applied.position(connection)
        if self.applied.seq > source.end().seq:
            raise CatalogUnusable(
                f"catalog.duckdb has sequence number {self.applied.seq}, but log/ and index/ end at "
                f"{source.end().seq}: they are of an earlier time; restore all of the data folder from one backup"
            )
        source.tell_applied(self.applied)

    def behind(self) -> int:
        """How many mutations were acknowledged and are not applied yet."""
        return self._source.end().seq - self.applied.seq

    def step(self) -> None:
        """Apply the next batch of what was acknowledged. Called from one thread at a time."""
        end = self._source.end()
        if self.applied.seq < end.seq:
            records, position = self._source.read(self.applied, end, BATCH)
            apply(self._connection, records, position)
            self.applied = position
            self._source.tell_applied(position)

    def catch_up(self) -> None:
        """Apply everything that was acknowledged before the call."""
        end = self._source.end()
        while self.applied.seq < end.seq:
            self.step()

    def checkpoint(self) -> None:
        """Take the write-ahead log into the database's file. Raises duckdb.Error where a query is in the way."""
        self._connection.execute("CHECKPOINT")
