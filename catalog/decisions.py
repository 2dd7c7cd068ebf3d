"""What S3's rules make of a write, on the state under the lock: each function returns the mutation and its result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from catalog import locking
from catalog.commit import Turn
from catalog.errors import (
    BucketExists,
    BucketNotEmpty,
    LockNeedsVersioning,
    NoBucket,
    NoUser,
    ObjectLocked,
    SourceChanged,
    UserExists,
)
from catalog.index import composed, lookup
from catalog.index.apply import all_spaces, locate, noncurrent_seqs, null_seq
from catalog.index.keys import escape, new_upload_id, new_version_id, space_of
from catalog.index.uploaded import Uploaded
from catalog.records import (
    NULL_VERSION,
    Bucket,
    BucketPut,
    BucketRemoved,
    Lock,
    Mutation,
    ObjectChanged,
    Part,
    PartPut,
    Piece,
    Removed,
    Upload,
    UploadAborted,
    UploadCreated,
    User,
    UserPut,
    UserRemoved,
    Version,
    VersionUpdated,
)

Check = Callable[[Version | None], None]
Source = tuple[int, str, Version]  # bucket id, key and version whose bodies a write shares


@dataclass(slots=True)
class Deleted:
    """`version_id` is the id of the marker made, or of the version that ended; `delete_marker` if it is a marker."""

    version_id: str | None
    delete_marker: bool
    existed: bool


def create_bucket(turn: Turn, draft: Bucket) -> tuple[Mutation, Bucket]:
    try:
        held = lookup.bucket(turn.index, turn.txn, draft.name)
    except NoBucket:
        bucket = msgspec.structs.replace(draft, id=turn.seq, created=turn.now)
        return BucketPut(bucket), bucket
    raise BucketExists(held.name, held.owner)


def update_bucket(turn: Turn, name: str, change: Callable[[Bucket], Bucket]) -> tuple[Mutation, Bucket]:
    turn.buckets.clear()
    found = lookup.bucket(turn.index, turn.txn, name)
    bucket = change(found)
    locks = bucket.object_lock is not None
    if (locks or found.object_lock is not None) and not (locks and bucket.versioning == "Enabled"):
        raise LockNeedsVersioning(name, found.object_lock is not None)
    return BucketPut(bucket), bucket


def delete_bucket(turn: Turn, name: str) -> tuple[Mutation, None]:
    turn.buckets.clear()
    bucket = lookup.bucket(turn.index, turn.txn, name)
    for space in all_spaces(turn.index, turn.txn, space_of(bucket.id)):
        for table in (turn.index.objects, turn.index.versions):
            with turn.txn.cursor(db=table) as cursor:
                if cursor.set_range(space) and cursor.key().startswith(space):
                    raise BucketNotEmpty(name, bool(bucket.versioning))
    return BucketRemoved(bucket.id, name), None


def put(
    turn: Turn,
    bucket: Bucket,
    key: str,
    draft: Version,
    content_size: int,
    check: Check | None,
    upload_id: str | None,
    uploaded: Uploaded | None,
    source: Source | None,
) -> tuple[Mutation, Version]:
    bucket = _same_bucket(turn, bucket)
    met = turn.change.meet(bucket.id, key)
    place, current = met.place, met.current
    if check is not None:
        check(current)
    if upload_id is not None:
        _parts_still_there(turn, bucket, key, upload_id, uploaded, draft)
    if source is not None:
        _source_still_there(turn, source, composed.pieces_of(draft))
    body = Piece(content_size, *turn.place) if content_size else draft.body
    version_id = new_version_id(turn.seq) if bucket.versioning == "Enabled" else NULL_VERSION
    if bucket.object_lock is not None:
        draft = msgspec.structs.replace(draft, lock=locking.of_new(bucket.object_lock, draft.lock, turn.now))
    version = msgspec.structs.replace(draft, seq=turn.seq, version_id=version_id, modified=turn.now, body=body)
    if not bucket.versioning:
        removed = [] if current is None else [Removed(current.seq, NULL_VERSION)]
        return ObjectChanged(bucket.id, key, version, removed, upload_id, 0), version
    removed = [] if bucket.versioning == "Enabled" else _null_version(turn, place, current)
    previous = _previous(turn, bucket, place, current, removed)
    return ObjectChanged(bucket.id, key, version, removed, upload_id, previous), version


def delete(
    turn: Turn, bucket: Bucket, key: str, version_id: str | None, check: Check | None, owner: str, bypass: bool
) -> tuple[Mutation | None, Deleted]:
    """`bypass` ends versions that are retained in GOVERNANCE mode, too."""
    bucket = _same_bucket(turn, bucket)
    met = turn.change.meet(bucket.id, key)
    place, current = met.place, met.current
    if version_id is not None:
        found = lookup.version_by_id(turn.index, turn.txn, place, version_id)
        if check is not None:
            check(found)
        if found is None:
            return None, Deleted(version_id, False, False)
        if found.lock is not None and not locking.may_end(found.lock, turn.now, bypass):
            raise ObjectLocked(bucket.name, key, version_id)
        removed = [Removed(found.seq, version_id)]
        previous = _previous(turn, bucket, place, current, removed)
        change = ObjectChanged(bucket.id, key, None, removed, previous=previous)
        return change, Deleted(version_id, found.delete_marker, True)
    if check is not None:
        check(current)
    if not bucket.versioning:
        if current is None:
            return None, Deleted(None, False, False)
        removed = [Removed(current.seq, NULL_VERSION)]
        return ObjectChanged(bucket.id, key, None, removed, previous=0), Deleted(None, False, True)
    enabled = bucket.versioning == "Enabled"
    marker_id = new_version_id(turn.seq) if enabled else NULL_VERSION
    marker = Version(turn.seq, marker_id, turn.now, "", 0, "STANDARD", owner, delete_marker=True)
    removed = [] if enabled else _null_version(turn, place, current)
    previous = _previous(turn, bucket, place, current, removed)
    change = ObjectChanged(bucket.id, key, marker, removed, previous=previous)
    return change, Deleted(marker_id, True, current is not None)


def update_version(
    turn: Turn, bucket: Bucket, key: str, version_id: str | None, change: Callable[[Version], Version]
) -> tuple[Mutation, Version]:
    bucket = _same_bucket(turn, bucket)
    version = change(lookup.version(turn.index, turn.txn, bucket, key, version_id))
    return VersionUpdated(bucket.id, key, composed.whole(turn.index, turn.txn, version)), version


def retain(
    turn: Turn, bucket: Bucket, key: str, version_id: str | None, wanted: Lock, bypass: bool
) -> tuple[Mutation, Version]:
    def change(found: Version) -> Version:
        if found.lock is not None and not locking.may_become(found.lock, wanted, turn.now, bypass):
            raise ObjectLocked(bucket.name, key, found.version_id)
        return msgspec.structs.replace(found, lock=locking.retained(found.lock, wanted))

    return update_version(turn, bucket, key, version_id, change)


def create_upload(turn: Turn, bucket: Bucket, draft: Upload) -> tuple[Mutation, Upload]:
    bucket = _same_bucket(turn, bucket)
    upload = msgspec.structs.replace(draft, upload_id=new_upload_id(), bucket_id=bucket.id, initiated=turn.now)
    return UploadCreated(upload), upload


def put_part(
    turn: Turn,
    bucket: Bucket,
    key: str,
    upload_id: str,
    draft: Part,
    content_size: int,
    source: Source | None = None,
) -> tuple[Mutation, Part]:
    bucket = _same_bucket(turn, bucket)
    lookup.upload(turn.index, turn.txn, bucket, key, upload_id)
    if source is not None:
        _source_still_there(turn, source, [draft.piece] if draft.piece is not None else [])
    piece = Piece(content_size, *turn.place) if content_size else draft.piece
    part = msgspec.structs.replace(draft, modified=turn.now, piece=piece)
    return PartPut(bucket.id, key, upload_id, part), part


def abort_upload(turn: Turn, bucket: Bucket, key: str, upload_id: str) -> tuple[Mutation, None]:
    bucket = _same_bucket(turn, bucket)
    lookup.upload(turn.index, turn.txn, bucket, key, upload_id)
    return UploadAborted(bucket.id, key, upload_id), None


def create_user(turn: Turn, draft: User) -> tuple[Mutation, User]:
    for held in lookup.users(turn.index, turn.txn):
        for field in ("name", "id", "access_key"):
            if getattr(held, field) == getattr(draft, field):
                raise UserExists(field, getattr(draft, field))
    user = msgspec.structs.replace(draft, created=turn.now)
    return UserPut(user), user


def delete_user(turn: Turn, name: str) -> tuple[Mutation, User]:
    for held in lookup.users(turn.index, turn.txn):
        if held.name == name:
            return UserRemoved(held), held
    raise NoUser(name)


def _same_bucket(turn: Turn, bucket: Bucket) -> Bucket:
    """The bucket as it is now; one made anew under the same name is another."""
    now = turn.buckets.get(bucket.name)
    if now is None:
        now = turn.buckets[bucket.name] = lookup.bucket(turn.index, turn.txn, bucket.name)
    if now.id != bucket.id:
        raise NoBucket(bucket.name)
    return now


def _null_version(turn: Turn, place: bytes | None, current: Version | None) -> list[Removed]:
    """The null version that a new one of that id takes the place of."""
    if current is not None and current.version_id == NULL_VERSION:
        return [Removed(current.seq, NULL_VERSION)]
    seq = null_seq(turn.index, turn.txn, place) if place is not None else None
    return [Removed(seq, NULL_VERSION)] if seq is not None else []


def _previous(turn: Turn, bucket: Bucket, place: bytes | None, current: Version | None, removed: list[Removed]) -> int:
    """The newest of the key's versions that remain, 0 if none: what `ObjectChanged.previous` says."""
    ended = {version.seq for version in removed}
    if current is not None and current.seq not in ended:
        return current.seq
    if not bucket.versioning or place is None:
        return 0
    for seq in noncurrent_seqs(turn.index, turn.txn, place):
        if seq not in ended:
            return seq
    return 0


def _parts_still_there(
    turn: Turn, bucket: Bucket, key: str, upload_id: str, uploaded: Uploaded | None, draft: Version
) -> None:
    lookup.upload(turn.index, turn.txn, bucket, key, upload_id)
    if uploaded is not None and uploaded == lookup.uploaded(turn.index, turn.txn, upload_id):
        return  # as nearly always: without a look at each of ten thousand
    parts = draft.parts if isinstance(draft.parts, list) else []
    held = {part.number: part.piece for part in lookup.parts(turn.index, turn.txn, upload_id, 0, lookup.MAX_NUMBER)}
    if not held.keys() >= {part.number for part in parts}:
        raise SourceChanged(bucket.name, key)
    if [held[part.number] for part in parts] != [part.piece for part in parts]:
        raise SourceChanged(bucket.name, key)


def _source_still_there(turn: Turn, source: Source, pieces: Iterable[Piece]) -> None:
    """The pieces shared with it are still its own: a small body may have been moved."""
    bucket_id, key, version = source
    place = locate(turn.index, turn.txn, bucket_id, escape(key))
    held = lookup.version_by_seq(turn.index, turn.txn, place, version.seq) if place is not None else None
    if held is None:
        raise SourceChanged("", key)
    in_log = [piece for piece in pieces if piece.segment]
    if in_log:
        there = list(composed.pieces_of(composed.whole(turn.index, turn.txn, held)))
        if not all(any(lies_in(piece, each) for each in there) for piece in in_log):
            raise SourceChanged("", key)


def lies_in(piece: Piece, other: Piece) -> bool:
    """Whether one small body is a stretch of another, or the same."""
    end, other_end = piece.offset + piece.size, other.offset + other.size
    return piece.segment == other.segment and other.offset <= piece.offset and end <= other_end
