"""Make the index anew from DuckDB's tables, then bring it up to the log's end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from catalog.index import Index
from catalog.index.apply import Change, locate
from catalog.index.entries import decode_version, to_entry
from catalog.index.keys import END, escape, newest_first
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

    def versions(self) -> Iterable[list[tuple[int, str, int, bytes]]]:
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
    latest = (0, "")
    for batch in feed.versions():
        latest = _put_versions(index, batch, latest)
    return _replay(index, log, end)


def _put_versions(index: Index, batch: list[tuple[int, str, int, bytes]], latest: tuple[int, str]) -> tuple[int, str]:
    """The first of a key is its newest: current, unless a delete marker."""
    with index.write() as txn:
        change = Change(index, txn)
        for bucket_id, key, seq, encoded in batch:
            version = decode_version(encoded)
            change.hold(version)
            place = locate(index, txn, bucket_id, escape(key), create=True)
            assert place is not None
            entry = to_entry(key, version, encoded)
            newest, latest = (bucket_id, key) != latest, (bucket_id, key)
            if newest and not version.delete_marker:
                txn.put(place, entry, db=index.objects)
                continue
            txn.put(place + END + newest_first(seq), entry, db=index.versions)
            if version.version_id == NULL_VERSION:
                txn.put(place, seq.to_bytes(8, "big"), db=index.nulls)
        change.finish()
    return latest


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
