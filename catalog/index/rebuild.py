"""Make the index anew from DuckDB's tables, then bring it up to the log's end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from catalog.index import Index, composed
from catalog.index.apply import Change, locate
from catalog.index.entries import decode_version, to_entry
from catalog.index.keys import CHUNK, END, escaped, newest_first, space_of
from catalog.log import Log, beginning
from catalog.records import (
    NULL_VERSION,
    Bucket,
    BucketPut,
    Part,
    PartPut,
    Position,
    Upload,
    UploadCreated,
    User,
    UserPut,
)

_BATCH = 50_000


class Feed(Protocol):
    """What DuckDB holds, as of `position`; None when it was never given anything."""

    def catalog_id(self) -> bytes | None: ...
    def position(self) -> Position | None: ...
    def buckets(self) -> Iterable[Bucket]: ...
    def users(self) -> Iterable[User]: ...
    def uploads(self) -> Iterable[Upload]: ...
    def parts(self) -> Iterable[tuple[str, Part]]:
        """Upload id and part."""
        ...

    def versions(self) -> Iterable[list[tuple[int, bytes, int, bytes]]]:
        """Batches of bucket id, key, sequence number and entry, by bucket, key, and from the newest version on."""
        ...


def rebuild(index: Index, catalog_id: bytes, feed: Feed, log: Log) -> Position:
    """Fill an empty index. Every record of the log that the chain holds is taken: it may have been acknowledged."""
    end = feed.position() or beginning(catalog_id)
    index.begin_life(catalog_id, end)
    with index.write() as txn:
        change = Change(index, txn)
        for bucket in feed.buckets():
            change.apply(BucketPut(bucket))
        for user in feed.users():
            change.apply(UserPut(user))
        for upload in feed.uploads():
            change.apply(UploadCreated(upload))
        for upload_id, part in feed.parts():
            change.apply(PartPut(0, "", upload_id, part))
        change.finish()
    versions = _Versions(index)
    for batch in feed.versions():
        versions.put(batch)
    return _replay(index, log, end)


class _Versions:
    """Fills the empty tables of versions in order: LMDB then only appends, and leaves no page half empty.

    What belongs into child spaces sorts elsewhere: from the first of it on, each entry is put in its place.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._latest = (0, b"")
        self._appending = True

    def put(self, batch: list[tuple[int, bytes, int, bytes]]) -> None:
        """The first of a key is its newest: current, unless a delete marker."""
        index = self._index
        objects: list[tuple[bytes, bytes]] = []
        versions: list[tuple[bytes, bytes]] = []
        nulls: list[tuple[bytes, bytes]] = []
        with index.write() as txn:
            change = Change(index, txn)
            latest, space, spaced = self._latest, b"", 0
            for bucket_id, key, seq, encoded in batch:
                version = decode_version(encoded)
                if version.parts is not None:
                    change.hold(version)
                    entry = to_entry(key, composed.slim(version))
                else:
                    entry = to_entry(key, version, encoded)
                    if version.body is not None:
                        change.count(version.body, 1)
                if bucket_id != spaced:
                    space, spaced = space_of(bucket_id), bucket_id
                raw = escaped(key)
                place = space + raw
                if len(raw) > CHUNK:
                    place, self._appending = _deep(change, bucket_id, raw), False
                if latest != (bucket_id, key) and not version.delete_marker:
                    objects.append((place, entry))
                else:
                    versions.append((place + END + newest_first(seq), entry))
                    if version.version_id == NULL_VERSION:
                        nulls.append((place, seq.to_bytes(8, "big")))
                latest = bucket_id, key
            self._latest = latest
            change.finish()
            for table, entries in ((index.objects, objects), (index.versions, versions), (index.nulls, nulls)):
                with txn.cursor(db=table) as cursor:
                    cursor.putmulti(entries, append=self._appending)


def _deep(change: Change, bucket_id: int, raw: bytes) -> bytes:
    place = locate(change.index, change.txn, bucket_id, raw, create=True)
    assert place is not None
    return place


def _replay(index: Index, log: Log, end: Position) -> Position:
    """Apply the log behind `end`, and stand where its chain ends."""
    while True:
        records, reached = log.read(end, None, _BATCH)
        with index.write() as txn:
            change = Change(index, txn)
            for _, record in records:
                change.apply(record.mutation)
            change.finish()
            index.set_end(txn, reached, reached.offset)
        if not records:
            return reached
        end = reached
