"""The catalog as the gateway has it: reads at once, from the index; writes through the commit log."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Container, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

from catalog import decisions
from catalog.commit import MOST_WAITING, Commits, Submission, Turn
from catalog.damage import put_back
from catalog.decisions import Check, Deleted, Source
from catalog.errors import CatalogError
from catalog.expiring import Expiring
from catalog.folder import Folder
from catalog.index import Index, composed, listing, lookup
from catalog.index.composed import Group, Stretch
from catalog.index.listing import UploadPage
from catalog.index.rebuild import Feed
from catalog.index.uploaded import Uploaded
from catalog.log import Log
from catalog.opening import open_index
from catalog.records import Bucket, Lock, Mutation, ObjectLock, Origin, Part, Piece, Position, Upload, User, Version
from catalog.rows import Page, VersionPage
from catalog.tail import Tail

MANY_PARTS = 1000  # of a version, that take their time to commit

Deletion = tuple[str, str | None, Check | None]  # key, version id
T = TypeVar("T")


class Catalog:
    """An open catalog. Reads are plain calls of microseconds; writes are awaited and durable when they return."""

    def __init__(
        self,
        folder: Folder,
        index: Index,
        log: Log,
        held: int,
        temporary: bool = False,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.folder = folder
        self._index = index
        self._log = log
        self._held = held
        self._temporary = temporary
        self._commits = Commits(index, log, most_waiting)
        self.expiring = Expiring(index, self._commits)

    @classmethod
    def open(cls, path: Path, most_waiting: int = MOST_WAITING) -> Catalog:
        """Open the catalog of a data folder, made if it is not there. Raises CatalogUnusable.

        Of more mutations than `most_waiting` that wait to be committed, each raises TooManyWaiting.
        """
        folder = Folder(path)
        return cls(folder, *open_index(folder, _open_feed), most_waiting=most_waiting)

    @classmethod
    def open_anew(cls, path: Path) -> Catalog:
        """As `open`, with the key index made anew of the database and the log. Raises CatalogUnusable.

        The index that was there stays where that fails, or where another process uses it.
        """
        folder = Folder(path)
        with folder.index_aside():
            return cls.open(path)

    @classmethod
    def in_memory(cls) -> Catalog:
        """A catalog that is gone when closed, in the memory of the machine as far as it has a folder there."""
        memory = Path("/dev/shm")
        folder = Folder(Path(tempfile.mkdtemp(prefix="ducket-", dir=memory if os.access(memory, os.W_OK) else None)))
        return cls(folder, *open_index(folder, _open_feed), temporary=True)

    async def close(self) -> None:
        """Let what was submitted be committed, then let go."""
        await self._commits.close()
        self.release()

    def release(self) -> None:
        """Let go, from a program without an event loop.

        The last process to do so leaves the index synced: the next start believes it, whatever happened between.
        """
        if self._temporary:
            os.close(self._held)
            self._let_go()
            shutil.rmtree(self.folder.path, ignore_errors=True)
            return
        with self.folder.opening():
            os.close(self._held)
            last = not self.folder.in_use()
            if last:
                self._index.env.sync(True)
            self._let_go()
            if last:
                self.folder.rest_index()

    def _let_go(self) -> None:
        self._index.close()
        self._log.close()

    @property
    def on_dead_blobs(self) -> Callable[[list[bytes]], None]:
        return self._commits.on_dead_blobs

    @on_dead_blobs.setter
    def on_dead_blobs(self, told: Callable[[list[bytes]], None]) -> None:
        self._commits.on_dead_blobs = told

    # reads; where microseconds count without `with`, which costs a transaction twice what it takes to begin

    def user(self, access_key: str) -> User | None:
        with self._index.read() as txn:
            return lookup.user(self._index, txn, access_key)

    def users(self) -> list[User]:
        with self._index.read() as txn:
            return lookup.users(self._index, txn)

    def bucket(self, name: str) -> Bucket:
        """Raises NoBucket."""
        txn = self._index.read()
        try:
            return lookup.bucket(self._index, txn, name)
        finally:
            txn.abort()

    def buckets(self, owner: str | None, prefix: str = "", after: str = "", limit: int = 10_000) -> list[Bucket]:
        """Buckets of an owner (None: everybody's) in order of name, behind the name `after`."""
        with self._index.read() as txn:
            return lookup.buckets(self._index, txn, owner, prefix, after, limit)

    def get(self, bucket: Bucket, key: str, version_id: str | None = None) -> Version:
        """Raises NoObject, NoVersion, IsDeleteMarker, BadVersionId."""
        txn = self._index.read()
        try:
            return lookup.version(self._index, txn, bucket, key, version_id)
        finally:
            txn.abort()

    def list_objects(
        self, bucket: Bucket, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Page:
        """Behind `after`: a key, or a common prefix, which is passed over whole."""
        txn = self._index.read()
        try:
            return listing.list_objects(self._index, txn, bucket, prefix, delimiter, after, limit)
        finally:
            txn.abort()

    def list_versions(
        self,
        bucket: Bucket,
        prefix: str = "",
        delimiter: str = "",
        after_key: str = "",
        after_version: str = "",
        limit: int = 1000,
    ) -> VersionPage:
        """Raises BadVersionId."""
        with self._index.read() as txn:
            return listing.list_versions(self._index, txn, bucket, prefix, delimiter, after_key, after_version, limit)

    def list_uploads(
        self,
        bucket: Bucket,
        prefix: str = "",
        delimiter: str = "",
        after_key: str = "",
        after_upload: str = "",
        limit: int = 1000,
    ) -> UploadPage:
        with self._index.read() as txn:
            return listing.list_uploads(self._index, txn, bucket, prefix, delimiter, after_key, after_upload, limit)

    def upload(self, bucket: Bucket, key: str, upload_id: str) -> Upload:
        """Raises NoUpload."""
        with self._index.read() as txn:
            return lookup.upload(self._index, txn, bucket, key, upload_id)

    def parts(self, bucket: Bucket, key: str, upload_id: str, after: int = 0, limit: int = 10_000) -> list[Part]:
        """The parts numbered above `after`. Raises NoUpload."""
        with self._index.read() as txn:
            lookup.upload(self._index, txn, bucket, key, upload_id)
            return lookup.parts(self._index, txn, upload_id, after, limit)

    def uploaded(self, bucket: Bucket, key: str, upload_id: str) -> Uploaded:
        """All parts, as `put` takes them. Raises NoUpload."""
        with self._index.read() as txn:
            lookup.upload(self._index, txn, bucket, key, upload_id)
            return lookup.uploaded(self._index, txn, upload_id)

    def object_parts(self, version: Version, after: int, limit: int) -> Stretch:
        """Up to `limit` parts of an object, behind its first `after`. FileNotFoundError: as for `read`."""
        with self._index.read() as txn:
            return composed.behind(self._index, txn, version, after, limit)

    def parts_covering(self, version: Version, start: int, length: int) -> list[Group]:
        """The groups of parts of an object that hold these bytes of it. FileNotFoundError: as for `read`."""
        with self._index.read() as txn:
            return composed.covering(self._index, txn, version, start, length)

    def whole(self, version: Version) -> Version:
        """The version with all its parts, as `put` takes it. FileNotFoundError: as for `read`."""
        with self._index.read() as txn:
            return composed.whole(self._index, txn, version)

    def read(self, piece: Piece, start: int = 0, length: int | None = None) -> bytes:
        """Bytes of a body that lies in the log. FileNotFoundError: it died meanwhile, look the object up again."""
        return self._log.read_body(piece, start, piece.size - start if length is None else length)

    def restore(self, piece: Piece, content: bytes) -> None:
        """Put back the bytes of a body in the log, which the caller knows to be its own. OSError: it cannot be done."""
        put_back(self._log, piece, content)

    def blob_alive(self, blob: bytes) -> bool:
        """Whether any version or part names the blob."""
        with self._index.read() as txn:
            return txn.get(blob, db=self._index.blobs) is not None

    def end(self) -> Position:
        """The last thing acknowledged."""
        with self._index.read() as txn:
            return self._index.end(txn)

    def tail(self) -> Tail:
        """The log, for the catalog process to follow."""
        return Tail(self._index, self._log)

    # writes

    async def create_bucket(
        self,
        origin: Origin,
        name: str,
        owner: str,
        region: str,
        settings: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
        object_lock: ObjectLock | None = None,
    ) -> Bucket:
        """With Object Lock it has versioning, too. Raises BucketExists."""
        draft = Bucket(0, name, owner, 0, region, "Enabled" if object_lock else "", tags, settings, object_lock)
        return await self._write(origin, partial(decisions.create_bucket, draft=draft))

    async def update_bucket(self, origin: Origin, name: str, change: Callable[[Bucket], Bucket]) -> Bucket:
        """`change` is pure and runs under the lock. Raises NoBucket, LockNeedsVersioning."""
        return await self._write(origin, partial(decisions.update_bucket, name=name, change=change))

    async def delete_bucket(self, origin: Origin, name: str) -> None:
        """Uploads under way are dropped with it. Raises NoBucket, BucketNotEmpty."""
        await self._write(origin, partial(decisions.delete_bucket, name=name))

    def put(
        self,
        origin: Origin,
        bucket: Bucket,
        key: str,
        draft: Version,
        content: bytes | None = None,
        check: Check | None = None,
        upload_id: str | None = None,
        uploaded: Uploaded | None = None,
        source: Source | None = None,
    ) -> asyncio.Future[Version]:
        """A new version with a small body (`content`), or with bodies that lie in blobs or other versions already.

        `check` sees the current version under the lock and raises to refuse. `upload_id` ends in this version;
        `uploaded` are its parts as they were when the draft was made: as long as they are so, none is looked at again.
        `source` (bucket id, key, version) is what the draft's bodies are shared with.
        Raises NoBucket, NoUpload, SourceChanged, StorageFull.
        """
        size = len(content) if content else 0

        def decide(turn: Turn) -> tuple[Mutation, Version]:  # costs half of what a partial with as many keywords does
            return decisions.put(turn, bucket, key, draft, size, check, upload_id, uploaded, source)

        return self._write(origin, decide, content or b"", long=draft.part_count > MANY_PARTS)

    def delete(
        self,
        origin: Origin,
        bucket: Bucket,
        key: str,
        version_id: str | None = None,
        check: Check | None = None,
        bypass: bool = False,
    ) -> asyncio.Future[Deleted]:
        """S3's delete: a version ends, or a delete marker comes on top. `bypass` passes over GOVERNANCE.

        Raises NoBucket, BadVersionId, ObjectLocked.
        """
        return self._write(origin, self._deletion(bucket, key, version_id, check, bypass))

    async def delete_many(
        self, origin: Origin, bucket: Bucket, keys: Sequence[Deletion], bypass: Container[tuple[str, str | None]] = ()
    ) -> list[Deleted | Exception]:
        """Each as `delete`, those in `bypass` with it, side by side; what one raised stands in its place."""
        writes = [
            self._write(
                origin, self._deletion(bucket, key, version_id, check, (key, version_id) in bypass), one_of_many=True
            )
            for key, version_id, check in keys
        ]
        return [
            result if isinstance(result, Deleted | Exception) else CatalogError(result)
            for result in await asyncio.gather(*writes, return_exceptions=True)
        ]

    async def update_version(
        self, origin: Origin, bucket: Bucket, key: str, version_id: str | None, change: Callable[[Version], Version]
    ) -> Version:
        """New attributes for a version. Raises NoObject, NoVersion, IsDeleteMarker, BadVersionId."""
        decide = partial(decisions.update_version, bucket=bucket, key=key, version_id=version_id, change=change)
        return await self._write(origin, decide)

    async def retain(
        self, origin: Origin, bucket: Bucket, key: str, version_id: str | None, wanted: Lock, bypass: bool = False
    ) -> Version:
        """The retention of `wanted` in the place of a version's own. `bypass` as for `delete`.

        Raises ObjectLocked, and as `update_version`.
        """
        decide = partial(decisions.retain, bucket=bucket, key=key, version_id=version_id, wanted=wanted, bypass=bypass)
        return await self._write(origin, decide)

    async def create_upload(self, origin: Origin, bucket: Bucket, draft: Upload) -> Upload:
        return await self._write(origin, partial(decisions.create_upload, bucket=bucket, draft=draft))

    async def put_part(
        self,
        origin: Origin,
        bucket: Bucket,
        key: str,
        upload_id: str,
        part: Part,
        content: bytes | None = None,
        source: Source | None = None,
    ) -> Part:
        """`content` and `source` as for `put`. Raises NoUpload, SourceChanged."""
        size = len(content) if content else 0

        def decide(turn: Turn) -> tuple[Mutation, Part]:
            return decisions.put_part(turn, bucket, key, upload_id, part, size, source)

        return await self._write(origin, decide, content or b"")

    async def abort_upload(self, origin: Origin, bucket: Bucket, key: str, upload_id: str) -> None:
        """Raises NoUpload."""
        await self._write(origin, partial(decisions.abort_upload, bucket=bucket, key=key, upload_id=upload_id))

    def create_user(self, origin: Origin, draft: User) -> User:
        """At once in force in every process. Raises UserExists."""
        return self._write_now(origin, partial(decisions.create_user, draft=draft))

    def delete_user(self, origin: Origin, name: str) -> User:
        """Raises NoUser."""
        return self._write_now(origin, partial(decisions.delete_user, name=name))

    def _deletion(
        self, bucket: Bucket, key: str, version_id: str | None, check: Check | None, bypass: bool
    ) -> Callable[[Turn], tuple[Mutation | None, Deleted]]:
        return lambda turn: decisions.delete(turn, bucket, key, version_id, check, bucket.owner, bypass)

    def _write(
        self,
        origin: Origin,
        decide: Callable[[Turn], tuple[Mutation | None, T]],
        content: bytes = b"",
        long: bool = False,
        one_of_many: bool = False,
    ) -> asyncio.Future[T]:
        return self._commits.submit(decide, origin, content, long, one_of_many)

    def _write_now(self, origin: Origin, decide: Callable[[Turn], tuple[Mutation | None, T]]) -> T:
        (outcome,) = self._commits.commit_now([Submission(decide, origin, b"")])
        if outcome.error is not None:
            raise outcome.error
        result: T = outcome.result
        return result


def _open_feed(folder: Folder) -> AbstractContextManager[Feed]:
    """DuckDB is loaded only where an index must be made anew: a worker never needs it."""
    from catalog.database.feed import open_feed

    return open_feed(folder)
