"""Mutations in their order, as far back as the log has them."""

from __future__ import annotations

from msgspec.structs import replace

from catalog.index import Index
from catalog.log import Log
from catalog.records import LogRecord, Position

_AT_ONCE = 10_000


class Changes:
    """A place in the log from which what was acknowledged is read on. For one reader."""

    def __init__(self, index: Index, log: Log) -> None:
        self._index = index
        self._log = log
        self._position = self._end()

    @property
    def seq(self) -> int:
        """The last mutation before the place."""
        return self._position.seq

    def end(self) -> int:
        """The last mutation acknowledged."""
        return self._end().seq

    def seek(self, seq: int) -> int:
        """Go to the place behind a mutation, or to the first behind that from which on the log has everything.

        What lies between, the database has: a segment goes when all of it is applied. Raises CatalogUnusable.
        """
        end = self._end()
        wanted = replace(end, seq=min(seq, end.seq))
        position = self._start(wanted)
        while position.seq < wanted.seq:
            _, position = self._log.read(position, wanted, _AT_ONCE)
        self._position = position
        return position.seq

    def read(self, limit: int) -> list[tuple[int, LogRecord]]:
        """Up to `limit` mutations with their numbers, and the place is behind them.

        Raises CatalogUnusable where the log does not go on: see `seek`.
        """
        found, self._position = self._log.read(self._position, self._end(), limit)
        return found

    def _end(self) -> Position:
        with self._index.read() as txn:
            return self._index.end(txn)

    def _start(self, wanted: Position) -> Position:
        """Where the last segment begins that has what follows; else the first of those behind which none is missing."""
        found = self._log.start_of(wanted.segment)
        for segment in range(wanted.segment - 1, 0, -1):
            if found.seq <= wanted.seq or self._log.missing([segment]):
                break
            found = self._log.start_of(segment)
        return found
