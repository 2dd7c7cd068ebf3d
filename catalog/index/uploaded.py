"""The parts of uploads under way, in groups: an upload of 10,000 is read, completed and aborted in some hundred steps.

A group is the MessagePack of its parts in order of number, as in `composed`, under the upload and the group's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

import lmdb

from catalog.index import Index, encode
from catalog.index.composed import decode_parts
from catalog.records import Part

GROUP = 32  # numbers that share an entry: it fits a page, and is written again with each part


@dataclass(frozen=True, slots=True)
class Uploaded:
    """All parts of an upload as they were at a moment, decoded when asked for; equal if they still are the same."""

    groups: tuple[bytes, ...]

    def parts(self) -> Iterator[Part]:
        for group in self.groups:
            yield from decode_parts(group)


def put(index: Index, txn: lmdb.Transaction, upload: bytes, part: Part) -> Part | None:
    """Keep a part; the earlier one of its number that it takes the place of, if there is one."""
    place = _place(upload, part.number)
    group = _group(index, txn, place)
    earlier = group.get(part.number)
    group[part.number] = part
    txn.put(place, encode([group[number] for number in sorted(group)]), db=index.parts)
    return earlier


def get(index: Index, txn: lmdb.Transaction, upload: bytes, number: int) -> Part | None:
    return _group(index, txn, _place(upload, number)).get(number)


def behind(index: Index, txn: lmdb.Transaction, upload: bytes, after: int, limit: int) -> list[Part]:
    """Up to `limit` parts numbered above `after`, in order."""
    found: list[Part] = []
    with txn.cursor(db=index.parts) as cursor:
        going = cursor.set_range(_place(upload, after + 1))
        while going and cursor.key().startswith(upload) and len(found) < limit:
            group = decode_parts(cursor.value())
            found += group if group[0].number > after else [part for part in group if part.number > after]
            going = cursor.next()
    return found[:limit]


def every(index: Index, txn: lmdb.Transaction, upload: bytes) -> Uploaded:
    with txn.cursor(db=index.parts) as cursor:
        if not cursor.set_range(upload):
            return Uploaded(())
        return Uploaded(tuple([group for _, group in takewhile(lambda entry: entry[0].startswith(upload), cursor)]))


def drop(index: Index, txn: lmdb.Transaction, upload: bytes) -> list[bytes]:
    """Forget the parts of an upload that ended; the groups that they were."""
    return list(_dropped(index, txn, upload))


def count(groups: Iterable[bytes]) -> int:
    """How many parts are in groups, none of which is decoded."""
    return sum([_count(group) for group in groups])


def _dropped(index: Index, txn: lmdb.Transaction, upload: bytes) -> Iterator[bytes]:
    with txn.cursor(db=index.parts) as cursor:
        found = cursor.set_range(upload)
        while found and cursor.key().startswith(upload):
            yield cursor.value()
            found = cursor.delete() and bool(cursor.key())


def _count(group: bytes) -> int:
    """The length in the head of a MessagePack array: https://github.com/msgpack/msgpack/blob/master/spec.md#array-format-family"""
    first = group[0]
    return first & 0x0F if first < 0xA0 else int.from_bytes(group[1:3], "big")


def _group(index: Index, txn: lmdb.Transaction, place: bytes) -> dict[int, Part]:
    raw = txn.get(place, db=index.parts)
    return {part.number: part for part in decode_parts(raw)} if raw is not None else {}


def _place(upload: bytes, number: int) -> bytes:
    return upload + (number // GROUP).to_bytes(2, "big")
