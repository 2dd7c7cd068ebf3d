"""What S3 calls a mutation, where it tells anybody of it: an event."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.lifecycle import REQUESTER as LIFECYCLE
from catalog.records import LogRecord, Mutation, ObjectChanged, Origin, VersionUpdated

# Of mutations that more than one operation makes, by the operation that the origin names.
CREATED = {"CopyObject": "Copy", "PostObject": "Post"}
UPDATED = {
    "PutObjectTagging": "s3:ObjectTagging:Put",
    "DeleteObjectTagging": "s3:ObjectTagging:Delete",
    "PutObjectAcl": "s3:ObjectAcl:Put",
    "PutObjectRetention": "s3:ObjectRetention:Put",
}
EMPTY = "d41d8cd98f00b204e9800998ecf8427e"  # the ETag that S3 gives a delete marker in an event


@dataclass(frozen=True, slots=True)
class Event:
    """`time` is in milliseconds; `size` and `etag` are None where S3 says none."""

    seq: int
    name: str
    time: int
    origin: Origin
    key: str
    version_id: str
    size: int | None = None
    etag: str | None = None

    @property
    def by_lifecycle(self) -> bool:
        return self.origin.requester == LIFECYCLE


def event_of(seq: int, record: LogRecord, mutation: Mutation) -> Event | None:
    """None of what S3 tells nobody."""
    time, origin = record.time, record.origin
    if isinstance(mutation, ObjectChanged):
        put = mutation.put
        if put is None:
            return Event(seq, removal(origin), time, origin, mutation.key, mutation.removed[0].version_id)
        if put.delete_marker:
            return Event(seq, removal(origin, True), time, origin, mutation.key, put.version_id, None, EMPTY)
        name = creation(origin, mutation.upload_id)
        return Event(seq, name, time, origin, mutation.key, put.version_id, put.size, put.etag)
    if isinstance(mutation, VersionUpdated) and origin.operation in UPDATED:
        version = mutation.version
        name = UPDATED[origin.operation]
        return Event(seq, name, time, origin, mutation.key, version.version_id, None, version.etag)
    return None


def creation(origin: Origin, upload_id: str | None) -> str:
    how = "CompleteMultipartUpload" if upload_id is not None else CREATED.get(origin.operation, "Put")
    return f"s3:ObjectCreated:{how}"


def removal(origin: Origin, marker: bool = False) -> str:
    """With `marker` a delete marker came, else a version ended for good."""
    kind = "LifecycleExpiration" if origin.requester == LIFECYCLE else "ObjectRemoved"
    return f"s3:{kind}:{'DeleteMarkerCreated' if marker else 'Delete'}"
