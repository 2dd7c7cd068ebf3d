"""All that the index holds, as of one moment: what the database is made of again where the log does not reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import lmdb

from catalog.index import Index, composed, lookup
from catalog.index.apply import locate, noncurrent_seqs
from catalog.index.entries import version_of
from catalog.index.keys import END, escape, newest_first, unescape
from catalog.records import Bucket, Part, Position, Upload, User, Version

_BATCH = 16_384

Held = tuple[int, str, Version, bool]  # bucket id, key, version, and whether it is the newest of its key


class Contents:
    """Good as long as the transaction it reads in."""

    def __init__(self, index: Index, txn: lmdb.Transaction) -> None:
        self._index = index
        self._txn = txn
        self._spaces = {child: parent for parent, child in txn.cursor(db=index.spaces)}

    def position(self) -> Position:
        return self._index.end(self._txn)

    def names(self, blob: bytes) -> bool:
        return self._txn.get(blob, db=self._index.blobs) is not None

    def blobs(self) -> Iterator[bytes]:
        """All that any version or part names."""
        with self._txn.cursor(db=self._index.blobs) as cursor:
            for blob, _ in cursor:
                yield blob

    def segments(self) -> list[int]:
        """Those of the log in which bodies live."""
        return self._index.inhabited(self._txn)

    def buckets(self) -> list[Bucket]:
        with self._txn.cursor(db=self._index.buckets) as cursor:
            return [lookup.decode_bucket(raw) for _, raw in cursor]

    def users(self) -> list[User]:
        return lookup.users(self._index, self._txn)

    def uploads(self) -> list[tuple[Upload, list[Part]]]:
        with self._txn.cursor(db=self._index.uploads) as cursor:
            found = [lookup.decode_upload(raw) for _, raw in cursor]
        return [(each, list(lookup.uploaded(self._index, self._txn, each.upload_id).parts())) for each in found]

    def versions(self) -> Iterator[list[Held]]:
        """In batches; those of one key from the newest on, but first all that are current objects."""
        every = self._versions()
        while batch := list(islice(every, _BATCH)):
            yield batch

    def versions_of(self, bucket_id: int, key: str) -> list[Held]:
        """Those of one key, from the newest on."""
        place = locate(self._index, self._txn, bucket_id, escape(key))
        if place is None:
            return []
        found = [self._txn.get(place, db=self._index.objects)]
        found += [
            self._txn.get(place + END + newest_first(seq), db=self._index.versions)
            for seq in noncurrent_seqs(self._index, self._txn, place)
        ]
        whole = [self._whole(entry) for entry in found if entry is not None]
        return [(bucket_id, key, version, version is whole[0]) for version in whole]

    def _versions(self) -> Iterator[Held]:
        with self._txn.cursor(db=self._index.objects) as cursor:
            for place, entry in cursor:
                yield *self._key(place), self._whole(entry), True
        above = b""
        with self._txn.cursor(db=self._index.versions) as cursor:
            for suffixed, entry in cursor:
                place = suffixed[: -8 - len(END)]
                newest = place != above and self._txn.get(place, db=self._index.objects) is None
                yield *self._key(place), self._whole(entry), newest
                above = place

    def _whole(self, entry: bytes) -> Version:
        return composed.whole(self._index, self._txn, version_of(entry))

    def _key(self, place: bytes) -> tuple[int, str]:
        space, raw = place[:8], place[8:]
        while space in self._spaces:
            parent = self._spaces[space]
            space, raw = parent[:8], parent[8:] + raw
        return int.from_bytes(space, "big"), unescape(raw)


@contextmanager
def read_contents(index: Index) -> Iterator[Contents]:
    with index.read() as txn:
        yield Contents(index, txn)
