"""What a batch of mutations comes to: rows to add, to remove and to alter, each version touched once at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from catalog.records import (
    BodyMoved,
    Bucket,
    BucketPut,
    BucketRemoved,
    Mutation,
    ObjectChanged,
    PartPut,
    Upload,
    UploadAborted,
    UploadCreated,
    User,
    UserPut,
    UserRemoved,
    Version,
    VersionUpdated,
)
from catalog.relocation import relocated, relocated_part

Key = tuple[int, str]  # bucket id and key


class Effect:
    """Mutations go in by `add`, in order; what they come to is in the attributes.

    `history` holds the seqs, before the batch, of all versions of each key for which `keys_in_doubt` asks.
    """

    def __init__(self, buckets: dict[int, Bucket], history: dict[Key, set[int]]) -> None:
        self.known_buckets = buckets
        self._history = history
        self.buckets: dict[int, Bucket | None] = {}
        self.users: dict[str, User | None] = {}
        self.added: dict[int, ObjectChanged] = {}  # what made the versions that the batch does not end itself
        self.altered: dict[int, Version] = {}  # of those, what became of some
        self.hidden: set[int] = set()  # of those, which are not the newest of their keys
        self.removed: set[int] = set()
        self.places: dict[int, Key] = {}  # of what is in `removed` or `latest`
        self.updated: dict[int, VersionUpdated] = {}
        self.latest: dict[int, bool] = {}
        self.uploads: dict[str, Upload] = {}
        self.ended_uploads: set[str] = set()
        self.parts: dict[str, dict[int, PartPut]] = {}
        self.moved_versions: dict[int, list[BodyMoved]] = {}
        self.moved_parts: dict[tuple[str, int], list[BodyMoved]] = {}
        self._apply: dict[type, Callable[[Any], int | None]] = {
            BucketPut: self._bucket_put,
            BucketRemoved: self._bucket_removed,
            ObjectChanged: self._object_changed,
            VersionUpdated: self._version_updated,
            UploadCreated: self._upload_created,
            UploadAborted: lambda mutation: self._end_upload(mutation.upload_id),
            PartPut: self._part_put,
            UserPut: self._user_put,
            UserRemoved: self._user_removed,
            BodyMoved: self._body_moved,
        }

    def add(self, mutation: Mutation) -> int | None:
        """Of a change to an object the newest version that remains of the key beside one that was put, 0 if none."""
        return self._apply[type(mutation)](mutation)

    def removed_buckets(self) -> list[int]:
        return [bucket_id for bucket_id, bucket in self.buckets.items() if bucket is None]

    def _bucket_put(self, mutation: BucketPut) -> None:
        bucket = mutation.bucket
        self.known_buckets[bucket.id] = self.buckets[bucket.id] = bucket

    def _bucket_removed(self, mutation: BucketRemoved) -> None:
        self.buckets[mutation.bucket_id] = None
        for upload in list(self.uploads.values()):
            if upload.bucket_id == mutation.bucket_id:
                del self.uploads[upload.upload_id]
        for upload_id, parts in list(self.parts.items()):
            if any(put.bucket_id == mutation.bucket_id for put in parts.values()):
                del self.parts[upload_id]

    def _object_changed(self, mutation: ObjectChanged) -> int:
        if mutation.removed:
            self._end_versions(mutation)
        previous = self._previous(mutation) if self._history else mutation.previous or 0
        put = mutation.put
        if put is not None:
            self.added[put.seq] = mutation
        if previous:
            self._mark_latest(previous, put is None, (mutation.bucket_id, mutation.key))
        if mutation.upload_id is not None:
            self._end_upload(mutation.upload_id)
        return previous

    def _end_versions(self, mutation: ObjectChanged) -> None:
        for gone in mutation.removed:
            if self.added.pop(gone.seq, None) is None:
                self.removed.add(gone.seq)
                self.places[gone.seq] = (mutation.bucket_id, mutation.key)
                self.updated.pop(gone.seq, None)
                self.latest.pop(gone.seq, None)

    def _previous(self, mutation: ObjectChanged) -> int:
        """The newest other version that remains: as the mutation says, or as the versions known of the key tell."""
        seqs = self._history.get((mutation.bucket_id, mutation.key))
        if seqs is None:
            return mutation.previous or 0
        seqs.difference_update([gone.seq for gone in mutation.removed])
        previous = max(seqs, default=0)
        if mutation.put is not None:
            seqs.add(mutation.put.seq)
        return previous

    def _mark_latest(self, seq: int, is_latest: bool, place: Key) -> None:
        if seq not in self.added:
            self.latest[seq] = is_latest
            self.places[seq] = place
        elif is_latest:
            self.hidden.discard(seq)
        else:
            self.hidden.add(seq)

    def _version_updated(self, mutation: VersionUpdated) -> None:
        version = mutation.version
        if version.seq in self.added:
            self.altered[version.seq] = version
        else:
            self.updated[version.seq] = mutation

    def _upload_created(self, mutation: UploadCreated) -> None:
        self.uploads[mutation.upload.upload_id] = mutation.upload

    def _end_upload(self, upload_id: str) -> None:
        self.parts.pop(upload_id, None)
        if self.uploads.pop(upload_id, None) is None:
            self.ended_uploads.add(upload_id)

    def _part_put(self, mutation: PartPut) -> None:
        self.parts.setdefault(mutation.upload_id, {})[mutation.part.number] = mutation

    def _user_put(self, mutation: UserPut) -> None:
        self.users[mutation.user.access_key] = mutation.user

    def _user_removed(self, mutation: UserRemoved) -> None:
        self.users[mutation.user.access_key] = None

    def _body_moved(self, mutation: BodyMoved) -> None:
        """What the batch brought itself is altered here; for the rest the database has the records."""
        for holder in mutation.versions:
            seq = holder.seq
            made = self.added.get(seq)
            if made is not None and made.put is not None:
                self.altered[seq] = relocated(self.altered.get(seq, made.put), mutation)
            elif seq in self.updated:
                updated = self.updated[seq]
                version = relocated(updated.version, mutation)
                self.updated[seq] = msgspec.structs.replace(updated, version=version)
            else:
                self.moved_versions.setdefault(seq, []).append(mutation)
        for held in mutation.parts:
            put = self.parts.get(held.upload_id, {}).get(held.number)
            if put is not None:
                part = relocated_part(put.part, mutation)
                self.parts[held.upload_id][held.number] = msgspec.structs.replace(put, part=part)
            else:
                self.moved_parts.setdefault((held.upload_id, held.number), []).append(mutation)


def keys_in_doubt(mutations: Iterable[Mutation], buckets: dict[int, Bucket]) -> set[Key]:
    """Keys of which a mutation does not say what remains, in buckets where more than one version may."""
    mutations = list(mutations)
    versioned = {bucket.id for bucket in buckets.values() if bucket.versioning}
    versioned.update(m.bucket.id for m in mutations if type(m) is BucketPut and m.bucket.versioning)
    if not versioned:
        return set()
    return {
        (m.bucket_id, m.key)
        for m in mutations
        if type(m) is ObjectChanged and m.previous is None and m.bucket_id in versioned
    }
