"""What the catalog can refuse, as facts. The gateway maps each to an S3 error code in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.records import Piece


class CatalogError(Exception):
    """Base of every fact below; its fields are the particulars."""


@dataclass
class NoBucket(CatalogError):
    bucket: str


@dataclass
class BucketExists(CatalogError):
    """The name is taken; `owner` is the user id that holds it."""

    bucket: str
    owner: str


@dataclass
class BucketNotEmpty(CatalogError):
    """`versioned`: it keeps versions, or did once; perhaps none of them is current."""

    bucket: str
    versioned: bool = False


@dataclass
class NoObject(CatalogError):
    """No current version: `delete_marker` is the version id of the marker on top, if one hides older versions."""

    bucket: str
    key: str
    delete_marker: str | None = None


@dataclass
class NoVersion(CatalogError):
    bucket: str
    key: str
    version_id: str


@dataclass
class IsDeleteMarker(CatalogError):
    """The version asked for by id is a delete marker; `modified` is its time in milliseconds."""

    bucket: str
    key: str
    version_id: str
    modified: int


@dataclass
class NoUpload(CatalogError):
    bucket: str
    key: str
    upload_id: str


@dataclass
class PreconditionFailed(CatalogError):
    """`condition` names the header, in S3's spelling, that did not hold."""

    condition: str


@dataclass
class BucketChanged(CatalogError):
    """The bucket was altered between reading and committing; trying again is safe."""

    bucket: str


@dataclass
class UserExists(CatalogError):
    """`field` is what is taken: name, id or access_key."""

    field: str
    value: str


@dataclass
class NoUser(CatalogError):
    name: str


@dataclass
class StorageFull(CatalogError):
    """The disk has no room for the commit log or the index; nothing of the mutation remains."""

    path: str


@dataclass
class DatabaseBehind(CatalogError):
    """So much waits to be applied that nothing more is written until the database has caught up."""

    lag: int


@dataclass
class TooManyWaiting(CatalogError):
    """So many mutations wait to be committed that this one was not let wait; trying again later is safe."""

    waiting: int


@dataclass
class CatalogUnusable(CatalogError):
    """The data folder cannot be opened as it is; `why` says what was found and what to do."""

    why: str


@dataclass
class BodyDamaged(CatalogError):
    """What was read is not what was written: the disk changed or lost a body. `what` says which, for the log alone.

    `piece` is where it lies, where that is known.
    """

    what: str
    piece: Piece | None = None

    def __str__(self) -> str:
        return self.what


@dataclass
class LockNeedsVersioning(CatalogError):
    """A bucket with Object Lock keeps versions and its lock; `locked` is whether it has that already."""

    bucket: str
    locked: bool


@dataclass
class ObjectLocked(CatalogError):
    """Object Lock keeps the version from ending, or its retention from becoming less."""

    bucket: str
    key: str
    version_id: str


@dataclass
class BadVersionId(CatalogError):
    """`version_id` is none that this catalog could ever have given."""

    version_id: str


@dataclass
class SourceChanged(CatalogError):
    """What a write is made from (a copy's source, an upload's parts) changed meanwhile; read it again and retry."""

    bucket: str
    key: str


@dataclass
class QueryRefused(CatalogError):
    """A statement that is not a query, or reads what queries may not; it did not run."""

    why: str


@dataclass
class InvalidFilter(CatalogError):
    """A typed query's argument that means nothing; `field` is its name."""

    field: str
    reason: str

    @property
    def why(self) -> str:
        return f"{self.field}: {self.reason}"


@dataclass
class QueryFailed(CatalogError):
    """DuckDB's own words on why a query did not succeed."""

    why: str


@dataclass
class QueryStopped(CatalogError):
    """A query that was ended from outside: its time was up, or the server stops."""

    why: str
