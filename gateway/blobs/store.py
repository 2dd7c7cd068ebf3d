"""Blob files: a random 16-byte id each, at blobs/ab/<32 hex>, made whole in tmp/ and renamed into place."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from gateway.blobs.digests import Digests
from gateway.blobs.errors import NoBlob, NoRoom
from gateway.blobs.reading import BlobReader

BLOCK = 1 << 20  # what one hand-over to the threads holds: large enough that the hand-over does not show
SYNC_EVERY = 16 << 20  # so that finishing many GiB does not wait for all of them to reach the disk
THREADS = 16


class Blobs:
    """The blobs of one data folder. Any number of processes may share it."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._tmp = root / "tmp"
        self._tmp.mkdir(parents=True, exist_ok=True)
        for first in range(256):
            (self._blobs / f"{first:02x}").mkdir(parents=True, exist_ok=True)
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")

    def new(self, digests: Digests | None = None) -> Blob:
        """A blob to be written; each block passes through the `digests` too, in threads side by side."""
        blob = os.urandom(16)
        return Blob(blob, self._tmp / blob.hex(), self.path(blob), digests or Digests(()), self.pool)

    def path(self, blob: bytes) -> Path:
        name = blob.hex()
        return self._blobs / name[:2] / name

    def open(self, blob: bytes) -> int:
        """A descriptor of the caller's own, good to read by even after the blob is unlinked."""
        try:
            return os.open(self.path(blob), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NoBlob(blob) from None

    def reader(self, blob: bytes, start: int, length: int) -> BlobReader:
        return BlobReader(blob, self.open(blob), start, length, self.pool)

    def unlink(self, blobs: Iterable[bytes]) -> None:
        for blob in blobs:
            self.path(blob).unlink(missing_ok=True)

    def clear_tmp(self) -> None:
        """Drops what a killed server left half-written; only while nobody writes."""
        for path in self._tmp.iterdir():
            path.unlink(missing_ok=True)

    def sweep(self, alive: Callable[[bytes], bool], before: float) -> list[bytes]:
        """Unlinks the blobs last written before that time (seconds since the epoch) which are not alive.

        A blob is durable a moment before the record that names it: leave that moment in `before`.
        """
        dead = [blob for blob in self.older_than(before) if not alive(blob)]
        self.unlink(dead)
        return dead

    def older_than(self, before: float) -> Iterable[bytes]:
        for folder in sorted(self._blobs.iterdir()):
            for path in folder.iterdir():
                try:
                    if path.stat().st_mtime < before:
                        yield bytes.fromhex(path.name)
                except (FileNotFoundError, ValueError):  # unlinked just now, or no blob of ours
                    continue

    def close(self) -> None:
        self.pool.shutdown(wait=True)


class Blob:
    """One blob being written. Leaving the block before `finish` leaves nothing on disk."""

    def __init__(
        self, blob: bytes, draft: Path, path: Path, digests: Digests, pool: ThreadPoolExecutor
    ) -> None:
        self.id = blob
        self.size = 0
        self._draft = draft
        self._path = path
        self._digests = digests
        self._pool = pool
        self._pending: list[bytes | memoryview] = []
        self._pending_size = 0
        self._under_way: list[asyncio.Future[None]] = []
        self._sync: asyncio.Future[None] | None = None
        self._synced = 0
        self._finished = False

    async def __aenter__(self) -> Blob:
        self._file = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return self

    async def write(self, data: bytes | memoryview) -> None:
        """Takes the bytes over; waits only while two blocks are under way already."""
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= BLOCK:
            await self._hand_over()

    async def finish(self) -> tuple[bytes, int]:
        """Durable under its id when this returns; the digests are whole."""
        if self._pending:
            await self._hand_over()
        await self._settled()
        self._under_way = [asyncio.get_running_loop().run_in_executor(self._pool, self._publish)]
        await self._settled()
        os.close(self._file)
        self._finished = True
        return self.id, self.size

    async def digests(self) -> dict[str, bytes]:
        """The digests of all that was written so far."""
        if self._pending:
            await self._hand_over()
        await self._settled()
        return self._digests.digests()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            under_way = [*self._under_way, *([self._sync] if self._sync else [])]
            await asyncio.shield(asyncio.ensure_future(self._abandon(under_way)))

    async def _hand_over(self) -> None:
        block = b"".join(self._pending) if len(self._pending) > 1 else bytes(self._pending[0])
        self._pending.clear()
        self._pending_size = 0
        self.size += len(block)
        await self._settled()
        loop = asyncio.get_running_loop()
        work = [self._append, *self._digests.slow]
        self._under_way = [loop.run_in_executor(self._pool, each, block) for each in work]
        if self.size - self._synced >= SYNC_EVERY:
            if self._sync:
                await asyncio.wait([self._sync])
                self._sync.result()
            self._synced = self.size
            self._sync = loop.run_in_executor(self._pool, os.fdatasync, self._file)

    async def _settled(self) -> None:
        """Waits for the blocks under way; the first failure among them is raised."""
        if self._under_way:
            # Waited for, never awaited: a cancelled await would let go of a thread that still uses the file.
            await asyncio.wait(self._under_way)
            under_way, self._under_way = self._under_way, []
            for each in under_way:
                each.result()

    def _append(self, block: bytes) -> None:
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise _no_room(error, self._draft) from error
        for update in self._digests.fast:
            update(block)

    def _publish(self) -> None:
        try:
            os.fsync(self._file)
            self._draft.rename(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise _no_room(error, self._draft) from error

    async def _abandon(self, under_way: list[asyncio.Future[None]]) -> None:
        # A thread may still be writing: closed under it, the number could become somebody else's file.
        if under_way:
            await asyncio.wait(under_way)
            for each in under_way:
                each.exception()
        os.close(self._file)
        self._draft.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)


def _no_room(error: OSError, path: Path) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoRoom(str(path))
    return error
