"""What each mutation does to the index. The same for a commit under way and for the replay of the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import lmdb
import msgspec

from catalog.index import Index, composed, dying, encode, uploaded
from catalog.index.entries import to_entry, version_of
from catalog.index.keys import (
    CHUNK,
    END,
    FIRST_CHILD_SPACE,
    escape,
    newest_first,
    place_of,
    seq_of_suffix,
    space_of,
    upload_bytes,
)
from catalog.records import (
    NULL_VERSION,
    BodyMoved,
    BucketPut,
    BucketRemoved,
    Mutation,
    Numbered,
    ObjectChanged,
    Part,
    PartPut,
    Piece,
    Removed,
    UploadAborted,
    UploadCreated,
    UserPut,
    UserRemoved,
    Version,
    VersionHolder,
    VersionUpdated,
)
from catalog.relocation import relocated, relocated_part

MANY = 16  # groups of parts beyond which their bodies are let go of later

_decode_numbers: Callable[[bytes], list[Numbered]] = msgspec.msgpack.Decoder(list[Numbered]).decode


@dataclass(slots=True)
class Met:
    """What the index has under a key: its spelling there (None: nowhere yet) and the current version."""

    bucket_id: int
    key: str
    place: bytes | None
    raw: bytes | None
    current: Version | None


class Change:
    """The index while mutations are applied to it, in one write transaction. `finish` names the blobs that died."""

    def __init__(self, index: Index, txn: lmdb.Transaction) -> None:
        self.index = index
        self.txn = txn
        self._blobs: dict[bytes, int] = {}
        self._segments: dict[int, list[int]] = {}
        self._met: Met | None = None
        self.dying = False  # whether it left parts to `dying`

    def meet(self, bucket_id: int, key: str, create: bool = False) -> Met:
        """The key's place and its current entry: looked up once for the decision and for what comes of it."""
        met = self._met
        if met is None or met.key != key or met.bucket_id != bucket_id or (met.place is None and create):
            place = locate(self.index, self.txn, bucket_id, escape(key), create)
            raw = self.txn.get(place, None, self.index.objects) if place is not None else None
            met = self._met = Met(bucket_id, key, place, raw, version_of(raw) if raw is not None else None)
        return met

    def apply(self, mutation: Mutation) -> None:
        _APPLY[type(mutation)](self, mutation)
        self._met = None

    def finish(self) -> list[bytes]:
        """Write the counts of what lives where; the ids returned are of blobs that nothing names any more."""
        dead = []
        for blob, change in self._blobs.items():
            count = int.from_bytes(self.txn.get(blob, b"", db=self.index.blobs), "big") + change
            if count > 0:
                self.txn.put(blob, count.to_bytes(4, "big"), db=self.index.blobs)
            else:
                self.txn.delete(blob, db=self.index.blobs)
                dead.append(blob)
        for segment, (count, size) in self._segments.items():
            times, held = self.index.living(self.txn, segment)
            # Less than none: what was counted before was wrong.
            self.index.set_living(self.txn, segment, max(times + count, 0), max(held + size, 0))
        self._blobs, self._segments = {}, {}
        return dead

    def hold(self, version: Version) -> None:
        """Count a version that came, and keep its parts."""
        if version.body is not None:
            self.count(version.body, 1)
        elif isinstance(version.parts, list):
            composed.put(self.index, self.txn, version)
            self.count_parts(version.parts, 1)

    def count(self, piece: Piece, change: int) -> None:
        if piece.blob is not None:
            self._blobs[piece.blob] = self._blobs.get(piece.blob, 0) + change
        elif piece.segment:
            held = self._segments.setdefault(piece.segment, [0, 0])
            held[0] += change
            held[1] += change * piece.size

    def count_parts(self, parts: Iterable[Part], change: int) -> None:
        for part in parts:
            if part.piece is not None:
                self.count(part.piece, change)

    def release(self, version: Version) -> None:
        if version.body is not None:
            self.count(version.body, -1)
        elif version.parts:
            self._let_go(composed.drop(self.index, self.txn, version))

    def bucket_put(self, mutation: BucketPut) -> None:
        bucket = mutation.bucket
        self.txn.put(bucket.name.encode(), encode(bucket), db=self.index.buckets)

    def bucket_removed(self, mutation: BucketRemoved) -> None:
        self.txn.delete(mutation.name.encode(), db=self.index.buckets)
        self._drop_uploads(mutation.bucket_id)

    def object_changed(self, mutation: ObjectChanged) -> None:
        put, txn, index = mutation.put, self.txn, self.index
        met = self.meet(mutation.bucket_id, mutation.key, create=put is not None)
        key, raw, current = met.place, met.raw, met.current
        if key is None:
            return
        for removed in mutation.removed:
            if current is not None and current.seq == removed.seq:
                self.release(current)
                current = None
            else:
                self._remove_noncurrent(key, removed)
        if mutation.upload_id is not None:
            self._end_upload(key, mutation.upload_id, put)
        elif put is not None:
            self.hold(put)
        if put is not None:
            put = composed.slim(put)
            if current is not None and raw is not None:
                self._put_version(key, current, raw)
            made = to_entry(mutation.key.encode(), put)
            if put.delete_marker:
                self._put_version(key, put, made)
            else:
                txn.put(key, made, db=index.objects)
        if raw is not None and (current is None if put is None else put.delete_marker):
            txn.delete(key, db=index.objects)
        if put is None:
            if current is None:
                self._promote(key)
            self._forget_space(mutation.bucket_id, mutation.key)

    def version_updated(self, mutation: VersionUpdated) -> None:
        version = composed.slim(mutation.version)
        key = self.locate(mutation.bucket_id, mutation.key)
        if key is None:
            return
        made = to_entry(mutation.key.encode(), version)
        raw = self.txn.get(key, db=self.index.objects)
        if raw is not None and version_of(raw).seq == version.seq:
            self.txn.put(key, made, db=self.index.objects)
        else:
            self.txn.put(key + END + newest_first(version.seq), made, db=self.index.versions)

    def upload_created(self, mutation: UploadCreated) -> None:
        upload = mutation.upload
        key = self.locate(upload.bucket_id, upload.key, create=True)
        number = upload_bytes(upload.upload_id)
        if key is not None and number is not None:
            self.txn.put(key + END + number, encode(upload), db=self.index.uploads)

    def upload_aborted(self, mutation: UploadAborted) -> None:
        key = self.locate(mutation.bucket_id, mutation.key)
        if key is not None:
            self._end_upload(key, mutation.upload_id)
            self._forget_space(mutation.bucket_id, mutation.key)

    def part_put(self, mutation: PartPut) -> None:
        upload = upload_bytes(mutation.upload_id)
        if upload is None:
            return
        part = mutation.part
        self.count_parts([part], 1)
        earlier = uploaded.put(self.index, self.txn, upload, part)
        if earlier is not None:
            self.count_parts([earlier], -1)

    def user_put(self, mutation: UserPut) -> None:
        self.txn.put(mutation.user.access_key.encode(), encode(mutation.user), db=self.index.users)

    def user_removed(self, mutation: UserRemoved) -> None:
        self.txn.delete(mutation.user.access_key.encode(), db=self.index.users)

    def body_moved(self, mutation: BodyMoved) -> None:
        moved = sum(self._move_in_version(holder, mutation) for holder in mutation.versions)
        for held in mutation.parts:
            upload = upload_bytes(held.upload_id)
            part = uploaded.get(self.index, self.txn, upload, held.number) if upload is not None else None
            if upload is not None and part is not None and part.piece == mutation.old:
                uploaded.put(self.index, self.txn, upload, relocated_part(part, mutation))
                moved += 1
        self.count(mutation.old, -moved)
        self.count(mutation.new, moved)

    def locate(self, bucket_id: int, key: str, create: bool = False) -> bytes | None:
        """The index's spelling of a key; None where a child space would be needed that is not there."""
        return locate(self.index, self.txn, bucket_id, escape(key), create)

    def _move_in_version(self, holder: VersionHolder, move: BodyMoved) -> int:
        """How many of the version's pieces it was."""
        key = self.locate(holder.bucket_id, holder.key)
        if key is None:
            return 0
        table, raw = self.index.objects, self.txn.get(key, db=self.index.objects)
        version = version_of(raw) if raw is not None else None
        if version is None or version.seq != holder.seq:
            key += END + newest_first(holder.seq)
            table, raw = self.index.versions, self.txn.get(key, db=self.index.versions)
            version = version_of(raw) if raw is not None else None
        if version is None:
            return 0
        if version.body is None:
            return composed.move(self.index, self.txn, version, move)
        if version.body != move.old:
            return 0
        self.txn.put(key, to_entry(holder.key.encode(), relocated(version, move)), db=table)
        return 1

    def _put_version(self, key: bytes, version: Version, raw: bytes) -> None:
        self.txn.put(key + END + newest_first(version.seq), raw, db=self.index.versions)
        if version.version_id == NULL_VERSION:
            self.txn.put(key, version.seq.to_bytes(8, "big"), db=self.index.nulls)

    def _remove_noncurrent(self, key: bytes, removed: Removed) -> None:
        raw = self.txn.pop(key + END + newest_first(removed.seq), db=self.index.versions)
        if raw is not None:
            self.release(version_of(raw))
        if removed.version_id == NULL_VERSION:
            self.txn.delete(key, db=self.index.nulls)

    def _promote(self, key: bytes) -> None:
        """With no current object, the newest version becomes it, unless that is a delete marker."""
        with self.txn.cursor(db=self.index.versions) as cursor:
            if not cursor.set_range(key + END) or not cursor.key().startswith(key + END):
                return
            raw = cursor.value()
            version = version_of(raw)
            if version.delete_marker:
                return
            cursor.delete()
        self.txn.put(key, raw, db=self.index.objects)
        if version.version_id == NULL_VERSION:
            self.txn.delete(key, db=self.index.nulls)

    def _end_upload(self, key: bytes, upload_id: str, completed: Version | None = None) -> None:
        """The bodies of the parts that the completed version has pass over to it: their counts stay as they are."""
        parts = completed.parts if completed is not None and isinstance(completed.parts, list) else []
        if completed is not None:
            composed.put(self.index, self.txn, completed)
        upload = upload_bytes(upload_id)
        if upload is None:
            return
        self.txn.delete(key + END + upload, db=self.index.uploads)
        groups = uploaded.drop(self.index, self.txn, upload)
        if uploaded.count(groups) > len(parts):
            self._let_go(list(_without(groups, {part.number for part in parts})) if parts else groups)

    def _let_go(self, groups: list[bytes]) -> None:
        if len(groups) > MANY:
            dying.add(self.index, self.txn, groups)
            self.dying = True
        else:
            for group in groups:
                self.count_parts(composed.decode_parts(group), -1)

    def _drop_uploads(self, bucket_id: int) -> None:
        """End every upload of a bucket that goes, and forget its child spaces."""
        spaces = list(all_spaces(self.index, self.txn, space_of(bucket_id)))
        for space in spaces:
            for key in _keys_below(self.txn, self.index.uploads, space):
                self._end_upload(key[:-18], key[-16:].hex())
            for key in _keys_below(self.txn, self.index.spaces, space):
                self.txn.delete(key, db=self.index.spaces)

    def _forget_space(self, bucket_id: int, key: str) -> None:
        """Take away child spaces in which nothing is left, the innermost first."""
        raw = escape(key)
        while len(raw) > CHUNK:
            place = locate(self.index, self.txn, bucket_id, raw)
            if place is None:
                return
            space, raw = place[:8], raw[: (len(raw) - 1) // CHUNK * CHUNK]
            tables = (self.index.objects, self.index.versions, self.index.uploads, self.index.spaces)
            if any(next(_keys_below(self.txn, table, space), None) is not None for table in tables):
                return
            parent = locate(self.index, self.txn, bucket_id, raw)
            if parent is not None:
                self.txn.delete(parent, db=self.index.spaces)


_APPLY: dict[type, Callable[[Change, Any], None]] = {
    BucketPut: Change.bucket_put,
    BucketRemoved: Change.bucket_removed,
    ObjectChanged: Change.object_changed,
    VersionUpdated: Change.version_updated,
    UploadCreated: Change.upload_created,
    UploadAborted: Change.upload_aborted,
    PartPut: Change.part_put,
    UserPut: Change.user_put,
    UserRemoved: Change.user_removed,
    BodyMoved: Change.body_moved,
}


def _without(groups: Iterable[bytes], kept: set[int]) -> Iterator[bytes]:
    """What is left of groups of parts without those of these numbers."""
    for group in groups:
        if not kept.issuperset([each.number for each in _decode_numbers(group)]):
            yield encode([part for part in composed.decode_parts(group) if part.number not in kept])


def locate(index: Index, txn: lmdb.Transaction, bucket_id: int, raw: bytes, create: bool = False) -> bytes | None:
    """The index's spelling of an escaped key, child spaces made on the way if `create`."""
    if len(raw) <= CHUNK:
        return place_of(bucket_id, raw)
    space = space_of(bucket_id)
    while len(raw) > CHUNK:
        chunk, raw = space + raw[:CHUNK], raw[CHUNK:]
        child = txn.get(chunk, db=index.spaces)
        if child is None:
            if not create:
                return None
            child = space_of(index.next_number(txn, b"space", FIRST_CHILD_SPACE))
            txn.put(chunk, child, db=index.spaces)
        space = child
    return space + raw


def all_spaces(index: Index, txn: lmdb.Transaction, space: bytes) -> Iterator[bytes]:
    yield space
    for key in _keys_below(txn, index.spaces, space):
        yield from all_spaces(index, txn, txn.get(key, db=index.spaces))


def null_seq(index: Index, txn: lmdb.Transaction, key: bytes) -> int | None:
    """The sequence number of the null version that is not current, if there is one."""
    raw = txn.get(key, db=index.nulls)
    return int.from_bytes(raw, "big") if raw is not None else None


def noncurrent_seqs(index: Index, txn: lmdb.Transaction, key: bytes) -> Iterator[int]:
    """The sequence numbers of what stands behind the current version (or is a delete marker), from the newest on."""
    with txn.cursor(db=index.versions) as cursor:
        found = cursor.set_range(key + END)
        while found and cursor.key().startswith(key + END):
            yield seq_of_suffix(cursor.key()[-8:])
            found = cursor.next()


def _keys_below(txn: lmdb.Transaction, table: object, space: bytes) -> Iterator[bytes]:
    """Every key of a space, with room to delete each as it is met."""
    start = space
    while True:
        with txn.cursor(db=table) as cursor:
            if not cursor.set_range(start):
                return
            key = cursor.key()
        if not key.startswith(space):
            return
        yield key
        start = key + b"\0"
