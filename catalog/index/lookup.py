"""Single reads: a bucket, a user, a version, an upload. Each a get or two in the index."""

from __future__ import annotations

from collections.abc import Callable

import lmdb
import msgspec

from catalog.errors import BadVersionId, IsDeleteMarker, NoBucket, NoObject, NoUpload, NoVersion
from catalog.index import Index
from catalog.index import uploaded as of_upload
from catalog.index.apply import locate, noncurrent_seqs, null_seq
from catalog.index.entries import named, version_of
from catalog.index.keys import END, escape, newest_first, seq_of_version_id, upload_bytes
from catalog.index.uploaded import Uploaded
from catalog.records import NULL_VERSION, Bucket, Part, Upload, User, Version

MAX_NUMBER = 10_000  # of a part

decode_bucket: Callable[[bytes], Bucket] = msgspec.msgpack.Decoder(Bucket).decode
decode_upload: Callable[[bytes], Upload] = msgspec.msgpack.Decoder(Upload).decode
decode_user: Callable[[bytes], User] = msgspec.msgpack.Decoder(User).decode


def bucket(index: Index, txn: lmdb.Transaction, name: str) -> Bucket:
    raw = txn.get(name.encode(), None, index.buckets) if name else None
    if raw is None:
        raise NoBucket(name)
    return decode_bucket(raw)


def buckets(
    index: Index, txn: lmdb.Transaction, owner: str | None, prefix: str, after: str, limit: int
) -> list[Bucket]:
    """Buckets of an owner (None: of all) in order of name, behind the name `after`."""
    found: list[Bucket] = []
    with txn.cursor(db=index.buckets) as cursor:
        start = max(prefix, after).encode()
        if not (cursor.set_range(start) if start else cursor.first()):
            return found
        for key, raw in cursor:
            if not key.startswith(prefix.encode()) or len(found) == limit:
                break
            held = decode_bucket(raw)
            if (owner is None or held.owner == owner) and held.name > after:
                found.append(held)
    return found


def user(index: Index, txn: lmdb.Transaction, access_key: str) -> User | None:
    name = access_key.encode()
    raw = txn.get(name, db=index.users) if 0 < len(name) <= 128 else None
    return decode_user(raw) if raw is not None else None


def users(index: Index, txn: lmdb.Transaction) -> list[User]:
    with txn.cursor(db=index.users) as cursor:
        return [decode_user(raw) for _, raw in cursor]


def current(index: Index, txn: lmdb.Transaction, place: bytes | None) -> Version | None:
    """The current version of the key spelled `place`; None if it has none, or a delete marker on top."""
    raw = txn.get(place, None, index.objects) if place is not None else None
    return version_of(raw) if raw is not None else None


def version(index: Index, txn: lmdb.Transaction, bucket: Bucket, key: str, version_id: str | None) -> Version:
    """The current version, or the one of that id. Raises NoObject, NoVersion, IsDeleteMarker, BadVersionId."""
    place = locate(index, txn, bucket.id, escape(key))
    if version_id is None:
        found = current(index, txn, place)
        if found is None:
            marker = _marker_on_top(index, txn, place) if bucket.versioning and place is not None else None
            raise NoObject(bucket.name, key, marker)
        return found
    found = version_by_id(index, txn, place, version_id)
    if found is None:
        raise NoVersion(bucket.name, key, version_id)
    if found.delete_marker:
        raise IsDeleteMarker(bucket.name, key, version_id, found.modified)
    return found


def version_by_id(index: Index, txn: lmdb.Transaction, place: bytes | None, version_id: str) -> Version | None:
    """A version or delete marker of the key spelled `place`. Raises BadVersionId."""
    seq = None if version_id == NULL_VERSION else seq_of_version_id(version_id)
    if seq is None and version_id != NULL_VERSION:
        raise BadVersionId(version_id)
    if place is None:
        return None
    raw = txn.get(place, db=index.objects)
    if raw is not None:
        found = version_of(raw)
        if found.version_id == version_id:
            return found
    if seq is None:
        seq = null_seq(index, txn, place)
        if seq is None:
            return None
    raw = txn.get(place + END + newest_first(seq), db=index.versions)
    if raw is None:
        return None
    found = version_of(raw)
    return found if found.version_id == version_id else None


def version_by_seq(index: Index, txn: lmdb.Transaction, place: bytes, seq: int) -> Version | None:
    raw = txn.get(place, db=index.objects)
    if raw is not None and named(raw).seq == seq:
        return version_of(raw)
    raw = txn.get(place + END + newest_first(seq), db=index.versions)
    return version_of(raw) if raw is not None else None


def upload(index: Index, txn: lmdb.Transaction, bucket: Bucket, key: str, upload_id: str) -> Upload:
    place = locate(index, txn, bucket.id, escape(key))
    number = upload_bytes(upload_id)
    raw = txn.get(place + END + number, db=index.uploads) if place is not None and number is not None else None
    if raw is None:
        raise NoUpload(bucket.name, key, upload_id)
    return decode_upload(raw)


def parts(index: Index, txn: lmdb.Transaction, upload_id: str, after: int, limit: int) -> list[Part]:
    """Parts numbered above `after`, in order."""
    number = upload_bytes(upload_id)
    return of_upload.behind(index, txn, number, after, limit) if number is not None and after < MAX_NUMBER else []


def uploaded(index: Index, txn: lmdb.Transaction, upload_id: str) -> Uploaded:
    number = upload_bytes(upload_id)
    return of_upload.every(index, txn, number) if number is not None else Uploaded(())


def _marker_on_top(index: Index, txn: lmdb.Transaction, place: bytes) -> str | None:
    seq = next(noncurrent_seqs(index, txn, place), None)
    found = version_by_seq(index, txn, place, seq) if seq is not None else None
    return found.version_id if found is not None and found.delete_marker else None
