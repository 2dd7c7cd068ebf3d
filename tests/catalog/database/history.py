"""Histories for the tests: a catalog in plain Python that makes log records as the commit would."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from catalog.dropping import Named, nobody
from catalog.errors import CatalogUnusable
from catalog.index.contents import Contents
from catalog.lifecycle import SETTING, Configuration, Rule
from catalog.records import (
    NULL_VERSION,
    Bucket,
    BucketPut,
    BucketRemoved,
    Checksum,
    LogRecord,
    Mutation,
    ObjectChanged,
    Origin,
    Part,
    PartPut,
    Piece,
    Position,
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

START = 1_760_000_000_000
ORIGIN = Origin("a" * 64, "192.0.2.1", "4442587FB7D0A2F9")

KEYS = tuple(f"k{number}" for number in range(6))

Numbered = tuple[int, LogRecord]
Any_ = TypeVar("Any_")


@dataclass
class History:
    """The state the catalog should have, beside the records that lead to it. `says_previous`: see ObjectChanged.

    `pause` is the milliseconds between mutations.
    """

    says_previous: bool = True
    pause: int = 1000
    records: list[Numbered] = field(default_factory=list)
    buckets: dict[int, Bucket] = field(default_factory=dict)
    versions: dict[tuple[int, str], list[Version]] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    parts: dict[str, dict[int, Part]] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    below: dict[int, int] = field(default_factory=dict)  # by seq what `previous` should come to

    @property
    def seq(self) -> int:
        return len(self.records)

    def position(self, seq: int | None = None) -> Position:
        seq = self.seq if seq is None else seq
        return Position(1 + seq // 1000, 64 + seq * 200, seq, seq * 2654435761 % 2**32)

    def create_bucket(self, name: str, versioning: str = "", owner: str = "a" * 64) -> Bucket:
        bucket = Bucket(self.seq + 1, name, owner, self._now(), "us-east-1", versioning, {"team": "data"})
        self.buckets[bucket.id] = bucket
        self._log(BucketPut(bucket))
        return bucket

    def set_versioning(self, bucket_id: int, versioning: str) -> None:
        bucket = msgspec.structs.replace(self.buckets[bucket_id], versioning=versioning)
        self.buckets[bucket_id] = bucket
        self._log(BucketPut(bucket))

    def give_rules(self, bucket_id: int, *rules: Rule) -> None:
        kept = msgspec.json.encode(Configuration(rules)).decode()
        bucket = msgspec.structs.replace(self.buckets[bucket_id], settings={SETTING: kept})
        self.buckets[bucket_id] = bucket
        self._log(BucketPut(bucket))

    def delete_bucket(self, bucket_id: int) -> None:
        bucket = self.buckets.pop(bucket_id)
        for upload in [upload for upload in self.uploads.values() if upload.bucket_id == bucket_id]:
            self._drop_upload(upload.upload_id)
        self._log(BucketRemoved(bucket_id, bucket.name))

    def put(
        self, bucket_id: int, key: str, size: int = 10, upload_id: str | None = None, etag: str | None = None
    ) -> Version:
        version = self._new_version(bucket_id, size=size, metadata={"owner": "wanda"}, tags={"size": str(size)})
        if etag is not None:
            version = msgspec.structs.replace(version, etag=etag)
        if upload_id is not None:
            parts = [part for _, part in sorted(self.parts.get(upload_id, {}).items())]
            version = msgspec.structs.replace(version, parts=parts, body=None, upload_id=upload_id)
            self._drop_upload(upload_id)
        self._add(bucket_id, key, version, upload_id)
        return version

    def delete(self, bucket_id: int, key: str) -> None:
        """As DeleteObject without a version id."""
        if self.buckets[bucket_id].versioning:
            marker = self._new_version(bucket_id)
            marker = Version(marker.seq, marker.version_id, marker.modified, "", 0, "STANDARD", "o", delete_marker=True)
            self._add(bucket_id, key, marker)
        elif self.versions.get((bucket_id, key)):
            self.remove_version(bucket_id, key, self.versions[bucket_id, key][0].seq)

    def remove_version(self, bucket_id: int, key: str, seq: int) -> None:
        held = self.versions[bucket_id, key]
        gone = next(version for version in held if version.seq == seq)
        held.remove(gone)
        self._change(bucket_id, key, None, [Removed(gone.seq, gone.version_id)], None)

    def tag(self, bucket_id: int, key: str, seq: int, tags: dict[str, str]) -> None:
        held = self.versions[bucket_id, key]
        at = next(i for i, version in enumerate(held) if version.seq == seq)
        held[at] = msgspec.structs.replace(held[at], tags=tags)
        self._log(VersionUpdated(bucket_id, key, held[at]))

    def create_upload(self, bucket_id: int, key: str) -> Upload:
        upload = Upload(f"{self.seq + 1:032x}", bucket_id, key, self._now(), "a" * 64, checksum_algorithm="CRC32")
        self.uploads[upload.upload_id] = upload
        self._log(UploadCreated(upload))
        return upload

    def put_part(self, upload_id: str, number: int, size: int = 5) -> None:
        upload = self.uploads[upload_id]
        piece = Piece(size, blob=(self.seq + 1).to_bytes(16, "big"))
        part = Part(number, size, f"{self.seq + 1:032x}", self._now(), piece, Checksum("CRC32", "AAAAAA=="))
        self.parts.setdefault(upload_id, {})[number] = part
        self._log(PartPut(upload.bucket_id, upload.key, upload_id, part))

    def abort_upload(self, upload_id: str) -> None:
        upload = self.uploads[upload_id]
        self._drop_upload(upload_id)
        self._log(UploadAborted(upload.bucket_id, upload.key, upload_id))

    def create_user(self, name: str) -> User:
        user = User(f"{self.seq + 1:064x}", name, f"AK{name.upper()}", f"secret-of-{name}", created=self._now())
        self.users[user.access_key] = user
        self._log(UserPut(user))
        return user

    def delete_user(self, access_key: str) -> None:
        self._log(UserRemoved(self.users.pop(access_key)))

    def all_versions(self) -> list[tuple[int, str, Version, bool]]:
        """In the index's order: bucket id, key bytes, newest first, and whether it is the newest."""
        return [
            (bucket_id, key, version, at == 0)
            for (bucket_id, key), held in sorted(
                self.versions.items(), key=lambda item: (item[0][0], item[0][1].encode())
            )
            for at, version in enumerate(held)
        ]

    def _new_version(self, bucket_id: int, **more: object) -> Version:
        seq = self.seq + 1
        enabled = self.buckets[bucket_id].versioning == "Enabled"
        version = Version(
            seq, f"{seq:032x}" if enabled else NULL_VERSION, self._now(), f"{seq:032x}", 0, "STANDARD", "o"
        )
        return msgspec.structs.replace(version, checksum=Checksum("CRC64NVME", "x"), body=Piece(1, 1, seq), **more)

    def _add(self, bucket_id: int, key: str, version: Version, upload_id: str | None = None) -> None:
        held = self.versions.setdefault((bucket_id, key), [])
        ended = [other for other in held if other.version_id == version.version_id]
        for other in ended:
            held.remove(other)
        removed = [Removed(other.seq, other.version_id) for other in ended]
        self._change(bucket_id, key, version, removed, upload_id)
        held.insert(0, version)

    def _change(
        self, bucket_id: int, key: str, put: Version | None, removed: list[Removed], upload_id: str | None
    ) -> None:
        held = self.versions[bucket_id, key]
        self.below[self.seq + 1] = held[0].seq if held else 0
        previous = self.below[self.seq + 1] if self.says_previous else None
        self._log(ObjectChanged(bucket_id, key, put, removed, upload_id, previous))

    def _drop_upload(self, upload_id: str) -> None:
        del self.uploads[upload_id]
        self.parts.pop(upload_id, None)

    def _log(self, mutation: Mutation) -> None:
        self.records.append((self.seq + 1, LogRecord(self._now(), ORIGIN, mutation)))

    def _now(self) -> int:
        return START + self.seq * self.pause


class MemorySource:
    """A log in memory. `damaged` makes it end before what was acknowledged."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.catalog_id = bytes(range(16))
        self.damaged = False
        self.rounds = 0
        self.told = history.position(0)

    def end(self) -> Position:
        return self.history.position()

    def read(self, position: Position, end: Position, limit: int) -> tuple[list[Numbered], Position]:
        if self.damaged:
            raise CatalogUnusable("the commit log is damaged")
        upto = min(end.seq, position.seq + limit)
        return self.history.records[position.seq : upto], self.history.position(upto)

    def tell_applied(self, applied: Position) -> None:
        self.told = applied

    def reaches(self, position: Position) -> bool:
        return position.seq <= self.history.seq

    def contents(self) -> AbstractContextManager[Contents]:
        raise CatalogUnusable("a history in memory has no index")

    def names(self, blob: bytes) -> bool:
        held = [part.piece for parts in self.history.parts.values() for part in parts.values()]
        for _, _, version, _ in self.history.all_versions():
            parts = version.parts if isinstance(version.parts, list) else []
            held += [version.body, *(part.piece for part in parts)]
        return any(piece is not None and piece.blob == blob for piece in held)

    def lay_ahead(self) -> None:
        self.rounds += 1

    def drop_dead_segments(self, applied: Position, named: Named = nobody) -> list[int]:
        return []

    def compact(self, applied: Position) -> int | None:
        return None


def take_step(history: History, kind: int, which: int, number: int) -> None:
    """One thing of kind 0 to 12 that the catalog would allow; nothing where it would not. `which` is 0 to 5."""
    buckets = list(history.buckets)
    versions = history.all_versions()
    uploads = list(history.uploads)
    key = KEYS[which]
    if kind == 0 or not buckets:
        history.create_bucket(f"b{history.seq}", ["", "Enabled", "Suspended"][which % 3])
        return
    bucket = buckets[number % len(buckets)]
    match kind:
        case 1 | 2 | 3:
            history.put(bucket, key, number)
        case 4:
            history.delete(bucket, key)
        case 5 if versions:
            bucket, key, version, _ = versions[number % len(versions)]
            history.remove_version(bucket, key, version.seq)
        case 6 if versions:
            bucket, key, version, _ = versions[number % len(versions)]
            history.tag(bucket, key, version.seq, {"t": str(number)})
        case 7:
            history.create_upload(bucket, key)
        case 8 if uploads:
            history.put_part(uploads[which % len(uploads)], 1 + number % 3)
        case 9 if uploads:
            upload = history.uploads[uploads[which % len(uploads)]]
            history.put(upload.bucket_id, upload.key, number, upload.upload_id)
        case 10 if uploads:
            history.abort_upload(uploads[which % len(uploads)])
        case 11 if not any(held for (of, _), held in history.versions.items() if of == bucket):
            history.delete_bucket(bucket)
        case 12 if history.users and number % 2:
            history.delete_user(next(iter(history.users)))
        case 12:
            history.create_user(f"user{history.seq}")
        case _:
            history.set_versioning(bucket, ["Enabled", "Suspended"][which % 2])
