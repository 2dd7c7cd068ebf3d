"""Compaction: what lives in segments that are mostly dead moves to the log's end, so that they can be dropped.

Each body is moved by a mutation like any other, decided under the lock on who names it then. Killed at any point,
compaction begins again with what is still in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import lmdb

from catalog.commit import Submission, Turn, commit
from catalog.errors import CatalogError, CatalogUnusable
from catalog.holders import Bodies, Holders, holds_part, holds_version, look_through, survey
from catalog.index import Index
from catalog.log import FRAME, HEADER_SIZE, ROLL, Log
from catalog.records import BodyMoved, Mutation, Origin, PartHolder, Piece, Position, VersionHolder

SPARSE = 0.5  # of a segment that must live, with the records about it, or it is emptied
MOST_BODIES, MOST_BYTES = 32, 256 * 1024  # that move in one batch: the lock is held for a millisecond or two
MOST_HOLDERS = 64  # that a record names: their keys of up to 1,024 bytes each must fit beside the body
FRAMES = 10_000  # of records with bodies that are weighed without a pause
SLICE = 500  # records, or entries of the index, that are looked at without a pause
MOST_SHARED = 20_000  # bodies found by one survey of the index, for they are kept in memory

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Weight:
    """What a record takes beside its body, on the average of a segment, in bytes."""

    records: int = 0
    beside: int = 0

    @property
    def mean(self) -> float:
        return self.beside / self.records if self.records else float(FRAME.size)


class Compaction:
    """One for a data folder, in the process that drops segments; `step` from one thread at a time."""

    def __init__(self, index: Index, log: Log) -> None:
        self._index = index
        self._log = log
        self._reading = Log(log.directory, log.catalog_id, log.segment_size)  # whose files nobody else closes
        self._weights: dict[int, Weight] = {}
        self._shared: set[int] = set()
        self._damaged: set[int] = set()
        self._round: Iterator[int] | None = None

    def step(self, applied: Position) -> int | None:
        """Do a little; how many bytes moved. None: that was all, for now. Raises OSError."""
        if self._round is None:
            self._round = self._rounds(applied)
        try:
            return next(self._round)
        except StopIteration:
            self._round = None
            return None
        except BaseException:
            self._round = None
            raise

    def close(self) -> None:
        if self._round is not None:
            self._round = None
        self._reading.close()

    def _rounds(self, applied: Position) -> Iterator[int]:
        for segment in self._sparse(applied):
            if segment not in self._shared:
                yield from self._empty(segment, applied)
        if self._shared:
            yield from self._empty_shared(applied)
        self._reading.close()

    def _sparse(self, applied: Position) -> list[int]:
        """Full segments that the database has wholly applied and of which too little lives, the emptiest first."""
        found: list[tuple[float, int]] = []
        with self._index.read() as txn:
            last = min(self._index.end(txn).segment, applied.segment)
            for segment in self._log.segments():
                if segment < last and segment not in self._damaged:
                    count, size = self._index.living(txn, segment)
                    living = size + count * self._weights.get(segment, Weight()).mean
                    share = living / self._log.size_of(segment)
                    if count and share < SPARSE:
                        found.append((share, segment))
        self._shared.intersection_update([segment for _, segment in found])
        return [segment for _, segment in sorted(found)]

    def _empty(self, segment: int, applied: Position) -> Iterator[int]:
        """Move what the segment's own records say of who lives in it, if that is all."""
        bodies: Bodies = {}
        try:
            yield from self._weigh(segment)
            if segment not in self._sparse(applied):
                return
            for _ in look_through(self._index, self._reading, segment, bodies, SLICE):
                yield 0
        except CatalogUnusable as fact:
            log.error("%s: what lives in it is left where it is", fact.why)
            self._damaged.add(segment)
            return
        except FileNotFoundError:
            return  # dropped meanwhile
        if segment not in self._sparse(applied):
            return
        with self._index.read() as txn:
            count, _ = self._index.living(txn, segment)
        if sum(holders.named for holders in bodies.values()) < count:
            self._shared.add(segment)
            return
        yield from self._move_all(bodies)

    def _weigh(self, segment: int) -> Iterator[int]:
        """By the frames alone: where bodies are small, most of a segment may be what is said of those that live."""
        if segment in self._weights:
            return
        weight, offset = Weight(), HEADER_SIZE
        # Not mapped: the segment may be dropped and cut meanwhile, and who looks behind the end of a mapping dies.
        with self._log.path(segment).open("rb") as file:
            while len(frame := _at(file, offset)) == FRAME.size:
                _, body, message, _ = FRAME.unpack(frame)
                if body == ROLL or not message:
                    break
                if body:
                    weight.records += 1
                    weight.beside += FRAME.size + message
                    if weight.records % FRAMES == 0:
                        yield 0
                offset += FRAME.size + body + message
        self._weights[segment] = weight
        yield 0

    def _empty_shared(self, applied: Position) -> Iterator[int]:
        """Find who lives in segments whose bodies are named by copies, too, and move that."""
        segments, bodies = set(self._sparse(applied)) & self._shared, Bodies()
        for _ in survey(self._index, segments, bodies, SLICE):
            yield 0
            if len(bodies) >= MOST_SHARED:
                break
        self._shared -= segments
        yield from self._move_all(bodies)

    def _move_all(self, bodies: Bodies) -> Iterator[int]:
        batch: list[tuple[Piece, Holders]] = []
        size = 0
        for piece, holders in bodies.items():
            for some in holders.in_groups(MOST_HOLDERS):
                batch.append((piece, some))
                size += piece.size
            if len(batch) >= MOST_BODIES or size >= MOST_BYTES:
                yield self._move(batch)
                batch, size = [], 0
        if batch:
            yield self._move(batch)

    def _move(self, batch: list[tuple[Piece, Holders]]) -> int:
        """Raises OSError."""
        submissions = []
        for piece, holders in batch:
            try:
                content = self._reading.read_body(piece, 0, piece.size)
            except FileNotFoundError:
                continue  # all that lived in its segment ended meanwhile, and the segment went
            submissions.append(Submission(partial(move, piece=piece, holders=holders), Origin(), content))
        moved = 0
        for outcome in commit(self._index, self._log, submissions).outcomes:
            if isinstance(outcome.error, CatalogError | lmdb.Error):
                raise OSError(f"bodies cannot be moved: {outcome.error!r}")
            if outcome.error is not None:
                raise outcome.error
            moved += outcome.result
        return moved


def _at(file: BinaryIO, offset: int) -> bytes:
    file.seek(offset)
    return file.read(FRAME.size)


def move(turn: Turn, piece: Piece, holders: Holders) -> tuple[Mutation | None, int]:
    """For those who name the body still; the bytes moved."""
    versions: list[VersionHolder] = [
        each for each in holders.versions if holds_version(turn.index, turn.txn, each, piece)
    ]
    parts: list[PartHolder] = [each for each in holders.parts if holds_part(turn.index, turn.txn, each, piece)]
    if not versions and not parts:
        return None, 0
    return BodyMoved(piece, Piece(piece.size, *turn.place), versions, parts), piece.size
