"""The key index: objects, versions, uploads, parts, buckets and users in key order, in LMDB. Derived; disposable.

One environment, shared by all processes. LMDB's write transaction is the lock under which everybody commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb
import msgspec

from catalog.records import Position

FORMAT = b"5"
MAP_SIZE = 1 << 40
MAX_READERS = 4096

encode = msgspec.msgpack.Encoder().encode
_decode_position = msgspec.msgpack.Decoder(Position).decode


class Index:
    """The open environment. `db` names: see `TABLES`."""

    TABLES = (
        "meta",
        "buckets",
        "objects",
        "versions",
        "nulls",
        "spaces",
        "uploads",
        "parts",
        "users",
        "blobs",
        "segments",
        "composed",
        "dying",
    )

    def __init__(self, directory: Path, look_only: bool = False) -> None:
        """With `look_only` nothing is written, not even locks: only for a folder that no process works with."""
        self.directory = directory
        if not look_only:
            directory.mkdir(exist_ok=True)
        self.env = lmdb.open(
            str(directory),
            map_size=MAP_SIZE,
            max_dbs=len(self.TABLES),
            max_readers=MAX_READERS,
            sync=False,
            metasync=False,
            readahead=False,
            readonly=look_only,
            lock=not look_only,
        )
        if not look_only:
            self.env.reader_check()
        (
            self.meta,
            self.buckets,
            self.objects,
            self.versions,
            self.nulls,
            self.spaces,
            self.uploads,
            self.parts,
            self.users,
            self.blobs,
            self.segments,
            self.composed,
            self.dying,
        ) = (self.env.open_db(name.encode(), create=not look_only) for name in self.TABLES)

    def read(self) -> lmdb.Transaction:
        return self.env.begin()

    @contextmanager
    def write(self) -> Iterator[lmdb.Transaction]:
        """The lock: commits at the end, leaves no trace of itself on an exception."""
        with self.env.begin(write=True, buffers=False) as txn:
            yield txn

    def begin_life(self, catalog_id: bytes, end: Position) -> None:
        """Write what makes an empty index one of this catalog, standing at `end` of the log."""
        with self.write() as txn:
            txn.put(b"format", FORMAT, db=self.meta)
            txn.put(b"catalog", catalog_id, db=self.meta)
            self.set_end(txn, end, end.offset)
            self.set_applied(txn, end.seq)

    def identity(self) -> tuple[bytes, bytes]:
        """Format and catalog id; empty where the index was never brought to life."""
        with self.read() as txn:
            return txn.get(b"format", b"", db=self.meta), txn.get(b"catalog", b"", db=self.meta)

    def end(self, txn: lmdb.Transaction) -> Position:
        """Where the log ends, as far as anything was acknowledged."""
        return _decode_position(txn.get(b"end", db=self.meta))

    def last_offset(self, txn: lmdb.Transaction) -> int:
        return int.from_bytes(txn.get(b"last", db=self.meta), "big")

    def set_end(self, txn: lmdb.Transaction, end: Position, last_offset: int) -> None:
        txn.put(b"end", encode(end), db=self.meta)
        txn.put(b"last", last_offset.to_bytes(8, "big"), db=self.meta)

    def applied(self, txn: lmdb.Transaction) -> int:
        """The sequence number up to which the database said last that it has everything."""
        return int.from_bytes(txn.get(b"applied", b"", db=self.meta), "big")

    def set_applied(self, txn: lmdb.Transaction, seq: int) -> None:
        txn.put(b"applied", seq.to_bytes(8, "big"), db=self.meta)

    def living(self, txn: lmdb.Transaction, segment: int) -> tuple[int, int]:
        """How many times bodies of a segment are named, and their bytes, counted as often."""
        counts = txn.get(segment.to_bytes(8, "big"), bytes(16), db=self.segments)
        return int.from_bytes(counts[:8], "big"), int.from_bytes(counts[8:], "big")

    def set_living(self, txn: lmdb.Transaction, segment: int, times: int, size: int) -> None:
        counts = times.to_bytes(8, "big") + size.to_bytes(8, "big")
        txn.put(segment.to_bytes(8, "big"), counts, db=self.segments)

    def forget_living(self, txn: lmdb.Transaction, segment: int) -> None:
        txn.delete(segment.to_bytes(8, "big"), db=self.segments)

    def inhabited(self, txn: lmdb.Transaction) -> list[int]:
        """The segments of the log in which bodies live."""
        with txn.cursor(db=self.segments) as cursor:
            return [int.from_bytes(segment, "big") for segment, counts in cursor if any(counts[:8])]

    def next_number(self, txn: lmdb.Transaction, counter: bytes, first: int) -> int:
        """The next of a counter's numbers, never given twice by this index."""
        number = int.from_bytes(txn.get(counter, first.to_bytes(8, "big"), db=self.meta), "big")
        txn.put(counter, (number + 1).to_bytes(8, "big"), db=self.meta)
        return number

    def close(self) -> None:
        self.env.close()


def is_cut(directory: Path) -> bool:
    """Whether the index's file is shorter than it says: who reads behind the end of a mapped file is killed."""
    try:
        with lmdb.open(str(directory), readonly=True, lock=False) as env:
            pages: int = env.info()["last_pgno"] + 1
            return (directory / "data.mdb").stat().st_size < pages * int(env.stat()["psize"])
    except lmdb.Error:
        return True
