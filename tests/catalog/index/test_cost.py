"""What a listing costs, in entries of the index that it looks at: what it returns, not what the bucket holds."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

import lmdb
import msgspec

from catalog import Catalog
from catalog.index import listing
from catalog.records import Bucket, Origin, Version

ORIGIN = Origin()
DRAFT = Version(0, "", 0, "e", 0, "STANDARD", "root")


class CountedCursor:
    """A cursor that counts the entries it stood on."""

    def __init__(self, counted: Counted, cursor: lmdb.Cursor) -> None:
        self._counted = counted
        self._cursor = cursor

    def __enter__(self) -> CountedCursor:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._cursor.close()

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        for entry in self._cursor:
            self._counted.entries += 1
            yield entry

    def set_range(self, key: bytes) -> bool:
        self._counted.entries += 1
        return bool(self._cursor.set_range(key))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class Counted:
    """A transaction whose cursors are counted."""

    def __init__(self, txn: lmdb.Transaction) -> None:
        self._txn = txn
        self.entries = 0

    def cursor(self, db: object) -> CountedCursor:
        return CountedCursor(self, self._txn.cursor(db=db))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._txn, name)


async def filled(catalog: Catalog, keys: list[str]) -> Bucket:
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    bucket = await catalog.update_bucket(
        ORIGIN, "a-bucket", lambda held: msgspec.structs.replace(held, versioning="Enabled")
    )
    for key in keys:
        await catalog.put(ORIGIN, bucket, key, DRAFT)
    return bucket


async def test_a_page_of_folders_does_not_walk_what_is_in_them(catalog: Catalog) -> None:
    bucket = await filled(catalog, [f"{folder:03d}/{number:02d}" for folder in range(60) for number in range(50)])
    with catalog._index.read() as txn:
        counted = Counted(txn)
        page = listing.list_objects(catalog._index, counted, bucket, "", "/", "010/", 20)
    assert page.prefixes == [f"{folder:03d}/" for folder in range(11, 31)]
    assert 20 <= counted.entries < 5 * 20 + 2 * listing._FIRST


async def test_a_listing_of_objects_does_not_see_noncurrent_versions(catalog: Catalog) -> None:
    bucket = await filled(catalog, ["a", "b", *["k"] * 2000, "l"])
    with catalog._index.read() as txn:
        counted = Counted(txn)
        page = listing.list_objects(catalog._index, counted, bucket, "", "", "", 1000)
    assert page.keys == ["a", "b", "k", "l"]
    assert 4 <= counted.entries < 10


async def test_a_page_of_versions_costs_what_it_returns(catalog: Catalog) -> None:
    bucket = await filled(catalog, ["a", *["k/x"] * 2000, "l"])
    with catalog._index.read() as txn:
        counted = Counted(txn)
        page = listing.list_versions(catalog._index, counted, bucket, "", "", "", "", 10)
        assert len(page.items) == 10
        assert 3 <= counted.entries < 30
        counted = Counted(txn)
        page = listing.list_versions(catalog._index, counted, bucket, "", "", page.next_key, page.next_version, 10)
        assert [item.key for item in page.items] == ["k/x"] * 10
        assert 3 <= counted.entries < 30
        counted = Counted(txn)
        page = listing.list_versions(catalog._index, counted, bucket, "", "/", "", "", 10)
        assert (len(page.items), page.prefixes) == (2, ["k/"])
        assert 3 <= counted.entries < 30
