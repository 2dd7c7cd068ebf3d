"""What lifecycle rules remove: found to be due without the lock, decided under it, where any other write was first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

import lmdb

from catalog import decisions, locking
from catalog.commit import Commits, Turn
from catalog.decisions import Deleted
from catalog.index import Index, lookup
from catalog.index.apply import locate, noncurrent_seqs
from catalog.index.keys import END, escape, newest_first, seq_of_suffix
from catalog.lifecycle import EXPIRE, REMOVE_MARKER, REMOVE_NONCURRENT, Step
from catalog.records import Bucket, Mutation, Origin, Version


@dataclass(frozen=True)
class Standing:
    """How a version stands among the others of its key.

    `newer` is how many noncurrent versions are newer, as far as was asked; `successor` is the seq of the one that hides
    it, None of the latest; `alone` says that there is no other.
    """

    version: Version
    latest: bool
    newer: int
    successor: int | None
    alone: bool


class Expiring:
    """The same for who has a catalog open."""

    def __init__(self, index: Index, commits: Commits) -> None:
        self._index = index
        self._commits = commits

    def standing(self, bucket: Bucket, key: str, seq: int, most: int = 0) -> Standing | None:
        with self._index.read() as txn:
            return standing(self._index, txn, bucket, key, seq, most)

    def expire(
        self, origin: Origin, bucket: Bucket, key: str, seq: int, step: Step, as_of: int
    ) -> asyncio.Future[Deleted | None]:
        """Raises NoBucket, ObjectLocked, and what a write may."""
        decide = partial(expire, bucket=bucket, key=key, seq=seq, step=step, as_of=as_of)
        return self._commits.submit(decide, origin, one_of_many=True)


def standing(index: Index, txn: lmdb.Transaction, bucket: Bucket, key: str, seq: int, most: int) -> Standing | None:
    """None where the version is gone. Of newer noncurrent versions at least `most` are counted."""
    place = locate(index, txn, bucket.id, escape(key))
    version = lookup.version_by_seq(index, txn, place, seq) if place is not None else None
    if place is None or version is None:
        return None
    current = lookup.current(index, txn, place)
    if current is not None and current.seq == seq:
        return Standing(version, True, 0, None, next(noncurrent_seqs(index, txn, place), None) is None)
    newer: list[int] = []
    with txn.cursor(db=index.versions) as cursor:
        cursor.set_key(place + END + newest_first(seq))
        while len(newer) <= most and cursor.prev() and cursor.key().startswith(place + END):
            newer.append(seq_of_suffix(cursor.key()[-8:]))
    if current is not None:
        return Standing(version, False, len(newer), newer[0] if newer else current.seq, False)
    if newer:  # the newest of all is no noncurrent one, but the delete marker on top
        return Standing(version, False, len(newer) - 1, newer[0], False)
    seqs = noncurrent_seqs(index, txn, place)
    return Standing(version, True, 0, None, next(seqs) == seq and next(seqs, None) is None)


def is_due(step: Step, key: str, held: Standing, as_of: int) -> bool:
    """Whether what was found as of a sequence number, and old enough then, is what the step is about as it stands now.

    A noncurrent version that somebody brought back meanwhile, and that was hidden again, was hidden by a later one.
    """
    version = held.version
    if not step.scope.holds(key, version.size, version.tags):
        return False
    if step.kind == REMOVE_NONCURRENT:
        return held.successor is not None and held.successor <= as_of and held.newer >= step.newer
    if step.kind == REMOVE_MARKER:
        return version.delete_marker and held.alone
    return held.latest and not version.delete_marker


def is_kept(held: Standing, now: int) -> bool:
    """Whether Object Lock keeps the version from ending."""
    lock = held.version.lock
    return lock is not None and not locking.may_end(lock, now, bypass=False)


def expire(
    turn: Turn, bucket: Bucket, key: str, seq: int, step: Step, as_of: int
) -> tuple[Mutation | None, Deleted | None]:
    """The version ends, or a delete marker comes on top of a current one where the bucket keeps versions.

    None where it is not there any more, or not due as it stands now. Raises ObjectLocked.
    """
    held = standing(turn.index, turn.txn, bucket, key, seq, step.newer)
    if held is None or not is_due(step, key, held, as_of):
        return None, None
    version_id = None if step.kind == EXPIRE else held.version.version_id
    return decisions.delete(turn, bucket, key, version_id, None, bucket.owner, False)
