"""Parts that nothing names any more, where they are many: they end a few groups at a time, not under one lock.

Until then their bodies count as named: they go later, and never too early.
"""

from __future__ import annotations

from collections.abc import Sequence

import lmdb

from catalog.index import Index
from catalog.index.composed import decode_parts
from catalog.records import Part


def add(index: Index, txn: lmdb.Transaction, groups: Sequence[bytes]) -> None:
    with txn.cursor(db=index.dying) as cursor:
        first = int.from_bytes(cursor.key(), "big") + 1 if cursor.last() else 0
        cursor.putmulti([(number.to_bytes(8, "big"), group) for number, group in enumerate(groups, first)], append=True)


def take(index: Index, txn: lmdb.Transaction, most: int) -> list[Part]:
    """The parts of the first `most` groups, which are forgotten here."""
    taken: list[Part] = []
    with txn.cursor(db=index.dying) as cursor:
        found = cursor.first()
        while found and most:
            taken += decode_parts(cursor.value())
            most -= 1
            found = cursor.delete() and bool(cursor.key())
    return taken


def are_left(index: Index, txn: lmdb.Transaction) -> bool:
    with txn.cursor(db=index.dying) as cursor:
        return bool(cursor.first())
