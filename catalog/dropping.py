"""Segments in which nothing lives go, once it was looked up that nobody names a body in them: counts may be wrong.

The records of the segment say who named its bodies first; the database, as far as it has the log, who names them
since: copies, and parts copied from them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import islice

from catalog.errors import CatalogUnusable
from catalog.holders import Bodies, Suspect, confirm, look_through, survey
from catalog.index import Index
from catalog.log import Log
from catalog.records import Position

SLICE = 500  # records, or entries of the index, that are looked at in one transaction
SLICES = 64  # in one step: a quarter of a second at most

# Who, by other knowledge than that of index and log, names a body in a segment, and maybe some others.
Named = Callable[[int], list[Suspect]]

log = logging.getLogger(__name__)


def nobody(segment: int) -> list[Suspect]:
    return []


class Dropping:
    """One for a data folder, in the process that drops segments; `step` from one thread at a time."""

    def __init__(self, index: Index, log: Log) -> None:
        self._index = index
        self._log = log
        self._reading = Log(log.directory, log.catalog_id, log.segment_size)  # whose files nobody else closes
        self._round: Iterator[int | None] | None = None

    def step(self, applied: Position, named: Named) -> list[int]:
        """Do a little; the segments that went. Raises OSError."""
        if self._round is None:
            self._round = self._rounds(applied, named)
        going, self._round = self._round, None
        seen = list(islice(going, SLICES))
        if len(seen) == SLICES:
            self._round = going
        return [segment for segment in seen if segment is not None]

    def close(self) -> None:
        self._round = None
        self._reading.close()

    def _rounds(self, applied: Position, named: Named) -> Iterator[int | None]:
        """A segment that went, or None where nothing did yet."""
        for segment in self._empty([each for each in self._log.segments() if each < applied.segment]):
            bodies: Bodies = {}
            yield from self._look_for(segment, named, bodies)
            self._reading.close()
            if bodies:
                self._count_again(segment, bodies)
            elif self._empty([segment]):
                self._drop(segment)
                yield segment

    def _empty(self, segments: list[int]) -> list[int]:
        """Those that are full and in which nothing lives, by the counts of the index."""
        with self._index.read() as txn:
            last = self._index.end(txn).segment
            return [each for each in segments if each < last and not self._index.living(txn, each)[0]]

    def _look_for(self, segment: int, named: Named, bodies: Bodies) -> Iterator[None]:
        """Where the segment's records cannot be read, all of the index is."""
        try:
            if self._log.missing([segment]):
                raise CatalogUnusable(f"{self._log.path(segment)} has no header")
            yield from look_through(self._index, self._reading, segment, bodies, SLICE)
        except CatalogUnusable as fact:
            log.warning("%s: all of the key index is asked whether a body in it is named", fact.why)
            yield from survey(self._index, {segment}, bodies, SLICE)
        with self._index.read() as txn:
            confirm(self._index, txn, named(segment), segment, bodies)

    def _count_again(self, segment: int, bodies: Bodies) -> None:
        """As many as were found: one that ends at this moment only lets the segment stay for longer."""
        count = sum(holders.named for holders in bodies.values())
        size = sum(holders.named * piece.size for piece, holders in bodies.items())
        what = "the key index counts no body in it, but %s times one is named: it stays, and is counted anew"
        log.error(f"%s: {what}", self._log.path(segment), count)
        with self._index.write() as txn:
            if not self._index.living(txn, segment)[0]:
                self._index.set_living(txn, segment, count, size)

    def _drop(self, segment: int) -> None:
        self._log.drop(segment)
        with self._index.write() as txn:
            self._index.forget_living(txn, segment)
