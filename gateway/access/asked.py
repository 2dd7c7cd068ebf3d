"""What somebody asks for: an action on a bucket or a key of it, and the request that asks."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from catalog.errors import BadVersionId, IsDeleteMarker, NoObject, NoUpload, NoVersion
from catalog.records import Bucket, Upload, User, Version
from gateway.request import Request


class Lookup(Protocol):
    """What is looked up of the catalog, and only where a rule wants to know."""

    def get(self, bucket: Bucket, key: str, version_id: str | None = None) -> Version: ...

    def upload(self, bucket: Bucket, key: str, upload_id: str) -> Upload: ...


class Sender(NamedTuple):
    """For whom a service asks: a bucket and its owner."""

    bucket: str
    owner: str


class Asked:
    """`given` is the operation's input, where it is known already; `prefix` what a listing would be of.

    `sender` is there where a service of ours asks, and no client.
    """

    __slots__ = (
        "_version",
        "bucket",
        "caller",
        "catalog",
        "given",
        "key",
        "prefix",
        "request",
        "resource",
        "sender",
        "version_id",
    )

    def __init__(
        self,
        caller: User,
        bucket: Bucket,
        key: str | None,
        version_id: str | None,
        request: Request,
        catalog: Lookup,
    ) -> None:
        self.caller = caller
        self.bucket = bucket
        self.key = key
        self.resource = resource_of(bucket, key)
        self.version_id = version_id
        self.request = request
        self.catalog = catalog
        self.given: dict[str, Any] = {}
        self.prefix: str | None = None
        self.sender: Sender | None = None
        self._version: Version | Exception | None = None

    def complete(self, given: dict[str, Any]) -> None:
        """The request was read as a whole; of a form only then the key is known."""
        self.given, self.key = given, self.request.key
        self.resource = resource_of(self.bucket, self.key)

    def version(self) -> Version | None:
        """The version that is there, if one is."""
        found = self._found()
        return found if isinstance(found, Version) else None

    def missing(self) -> Exception | None:
        """What is to be said of an object that is not there."""
        found = self._found()
        return found if isinstance(found, NoObject | NoVersion) else None

    def upload(self) -> Upload | None:
        """The upload under way that the request names."""
        upload_id = self.request.query.get("uploadId")
        if upload_id is None or self.key is None:
            return None
        try:
            return self.catalog.upload(self.bucket, self.key, upload_id)
        except NoUpload:
            return None

    def _found(self) -> Version | Exception | None:
        if self._version is None and self.key is not None:
            try:
                self._version = self.catalog.get(self.bucket, self.key, self.version_id)
            except (NoObject, NoVersion, IsDeleteMarker, BadVersionId) as missing:
                self._version = missing
        return self._version


def resource_of(bucket: Bucket, key: str | None) -> str:
    """As in an ARN, without what all of S3's begin with."""
    return bucket.name if key is None else f"{bucket.name}/{key}"
