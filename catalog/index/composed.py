"""The parts of objects that were completed from uploads: beside the objects' entries, in groups, read where needed.

An object has up to 10,000 parts; most requests want none of them, a range or a part by number wants one or a few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

import lmdb
import msgspec

from catalog.index import Index, encode
from catalog.records import BodyMoved, Part, Piece, Version
from catalog.relocation import relocated_part

GROUP = 100

decode_parts: Callable[[bytes], list[Part]] = msgspec.msgpack.Decoder(list[Part]).decode


@dataclass(slots=True)
class Stretch:
    """Consecutive parts of an object; `start` is where in the object the first begins."""

    start: int = 0
    parts: list[Part] = field(default_factory=list)


class Grouped(list[Part]):
    """Parts of a version to be, made ready for the index while nobody waits for the lock."""

    __slots__ = ("groups",)

    def __init__(self, parts: Iterable[Part]) -> None:
        super().__init__(parts)
        self.groups = list(_grouped(self))


class Group(NamedTuple):
    """Consecutive parts of an object, not yet decoded; `start` is where in the object the first begins."""

    start: int
    raw: bytes

    def parts(self) -> list[Part]:
        return decode_parts(self.raw)


def slim(version: Version) -> Version:
    """The version as its own entry has it: how many parts there are, not which."""
    if not isinstance(version.parts, list):
        return version
    return msgspec.structs.replace(version, parts=len(version.parts))


def whole(index: Index, txn: lmdb.Transaction, version: Version) -> Version:
    """The version with all its parts. FileNotFoundError: it ended meanwhile."""
    if not isinstance(version.parts, int):
        return version
    return msgspec.structs.replace(version, parts=behind(index, txn, version, 0, version.parts).parts)


def put(index: Index, txn: lmdb.Transaction, version: Version) -> None:
    """Keep the parts of a version that has them with it."""
    parts = version.parts
    if isinstance(parts, list):
        for start, position, group in parts.groups if isinstance(parts, Grouped) else _grouped(parts):
            txn.put(_place(version.seq, start, position), group, db=index.composed)


def drop(index: Index, txn: lmdb.Transaction, version: Version) -> list[bytes]:
    """Forget the parts of a version that ended; the groups that they were."""
    dropped: list[bytes] = []
    if not version.parts:
        return dropped
    prefix = version.seq.to_bytes(8, "big")
    with txn.cursor(db=index.composed) as cursor:
        found = cursor.set_range(prefix)
        while found and cursor.key().startswith(prefix):
            dropped.append(cursor.value())
            found = cursor.delete() and bool(cursor.key())
    return dropped


def move(index: Index, txn: lmdb.Transaction, version: Version, moved: BodyMoved) -> int:
    """Name the new place of a body in the parts that have it; how many they are."""
    count = 0
    prefix = version.seq.to_bytes(8, "big")
    with txn.cursor(db=index.composed) as cursor:
        found = cursor.set_range(prefix)
        while found and cursor.key().startswith(prefix):
            group = decode_parts(cursor.value())
            having = sum(part.piece == moved.old for part in group)
            if having:
                cursor.put(cursor.key(), encode([relocated_part(part, moved) for part in group]))
                count += having
            found = cursor.next()
    return count


def pieces_of(version: Version) -> Iterator[Piece]:
    """The pieces of a version that has its parts with it, if it has any."""
    if version.body is not None:
        yield version.body
    for part in version.parts if isinstance(version.parts, list) else ():
        if part.piece is not None:
            yield part.piece


def covering(index: Index, txn: lmdb.Transaction, version: Version, start: int, length: int) -> list[Group]:
    """The groups of parts that hold these bytes of the object. FileNotFoundError: it ended meanwhile."""
    groups = _groups_from(index, txn, version, _place(version.seq, start + 1, 0))
    return list(takewhile(lambda group: group.start < start + length, groups))


def behind(index: Index, txn: lmdb.Transaction, version: Version, after: int, limit: int) -> Stretch:
    """Up to `limit` parts behind the first `after`. FileNotFoundError: the object ended meanwhile."""
    found = Stretch()
    for group in _groups_from(index, txn, version, None, after // GROUP):
        parts = group.parts()
        if not found.parts:
            passed = parts[: after % GROUP]
            found.start, parts = group.start + sum(part.size for part in passed), parts[len(passed) :]
        found.parts += parts[: limit - len(found.parts)]
        if len(found.parts) >= limit:
            break
    return found


def _grouped(parts: list[Part]) -> Iterator[tuple[int, int, bytes]]:
    """Where each group begins, the position of its first part, and the group as it is kept."""
    start = 0
    for position in range(0, len(parts), GROUP):
        group = parts[position : position + GROUP]
        yield start, position, encode(group)
        start += sum([part.size for part in group])


def _groups_from(
    index: Index, txn: lmdb.Transaction, version: Version, below: bytes | None, skip: int = 0
) -> Iterator[Group]:
    """From the last group that sorts before `below` on, or from the first; `skip` are passed over."""
    prefix = version.seq.to_bytes(8, "big")
    with txn.cursor(db=index.composed) as cursor:
        if not cursor.set_range(prefix) or not cursor.key().startswith(prefix):
            raise FileNotFoundError(f"the parts of version {version.version_id} are gone")
        if below is not None and not (cursor.prev() if cursor.set_range(below) else cursor.last()):
            return
        for _ in range(skip):
            if not cursor.next():
                return
        while cursor.key().startswith(prefix):
            yield Group(int.from_bytes(cursor.key()[8:16], "big"), cursor.value())
            if not cursor.next():
                return


def _place(seq: int, start: int, position: int) -> bytes:
    """Groups sort by where they begin; the position parts those that hold nothing from the next."""
    return seq.to_bytes(8, "big") + start.to_bytes(8, "big") + position.to_bytes(2, "big")
