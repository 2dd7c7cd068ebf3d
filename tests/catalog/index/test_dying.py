from __future__ import annotations

from catalog import Catalog
from catalog.index import dying, encode
from catalog.records import Part


def test_groups_go_in_the_order_they_came_in(catalog: Catalog) -> None:
    parts = [Part(number, 5, "e", 0, None) for number in range(9)]
    groups = [encode(parts[start : start + 2]) for start in range(0, 9, 2)]
    index = catalog._index
    with index.write() as txn:
        assert not dying.are_left(index, txn)
        dying.add(index, txn, groups[:3])
        dying.add(index, txn, groups[3:])
        assert dying.take(index, txn, 2) == parts[:4]
        assert dying.are_left(index, txn)
        assert dying.take(index, txn, 9) == parts[4:]
        assert dying.take(index, txn, 1) == []
        assert not dying.are_left(index, txn)
