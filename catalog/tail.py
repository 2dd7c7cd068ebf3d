"""The log as the catalog process follows it: what was acknowledged, and which segments may go once it is applied."""

from __future__ import annotations

from contextlib import AbstractContextManager

from catalog.changes import Changes
from catalog.compaction import Compaction
from catalog.dropping import Dropping, Named, nobody
from catalog.index import Index
from catalog.index.contents import Contents, read_contents
from catalog.log import Log
from catalog.measures import IndexMeasures, LogMeasures, measure_index, measure_log
from catalog.records import LogRecord, Position


class Tail:
    """Reads the log up to where the index says it was acknowledged."""

    def __init__(self, index: Index, log: Log) -> None:
        self._index = index
        self._log = log
        self._compaction = Compaction(index, log)
        self._dropping = Dropping(index, log)

    @property
    def catalog_id(self) -> bytes:
        return self._log.catalog_id

    def end(self) -> Position:
        with self._index.read() as txn:
            return self._index.end(txn)

    def read(self, position: Position, end: Position, limit: int) -> tuple[list[tuple[int, LogRecord]], Position]:
        """Up to `limit` records with their sequence numbers. Raises CatalogUnusable where the log is broken."""
        return self._log.read(position, end, limit)

    def changes(self) -> Changes:
        """A reader of its own, who begins at the last thing acknowledged."""
        return Changes(self._index, self._log)

    def tell_applied(self, applied: Position) -> None:
        """Let every writer know how far the database is."""
        with self._index.write() as txn:
            self._index.set_applied(txn, applied.seq)

    def reaches(self, position: Position) -> bool:
        """Whether the log has all that was acknowledged behind `position`, as far as its segments are there."""
        segments = range(position.segment, self.end().segment + 1)
        return self._log.reaches(position) and not self._log.missing(segments)

    def contents(self) -> AbstractContextManager[Contents]:
        """What all that was acknowledged comes to."""
        return read_contents(self._index)

    def measure(self, applied: Position) -> tuple[IndexMeasures, LogMeasures]:
        """What index and log take; `applied` is how far the database is."""
        return measure_index(self._index), measure_log(self._index, self._log, applied.segment)

    def names(self, blob: bytes) -> bool:
        """Whether any version or part names the blob."""
        with read_contents(self._index) as contents:
            return contents.names(blob)

    def lay_ahead(self) -> None:
        """Make the next segment before a commit needs it."""
        end = self.end()
        if end.offset > self._log.size_of(end.segment) // 4:
            self._log.make_ahead(end.segment + 1)

    def drop_dead_segments(self, applied: Position, named: Named = nobody) -> list[int]:
        """Go on a little with removing what the database has and in which no body lives: see `Dropping.step`."""
        return self._dropping.step(applied, named)

    def compact(self, applied: Position) -> int | None:
        """Go on a little with moving what lives in segments that are mostly dead: see `Compaction.step`."""
        return self._compaction.step(applied)

    def close(self) -> None:
        self._compaction.close()
        self._dropping.close()
