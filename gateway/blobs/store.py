"""Blob files: a random 16-byte id each, at blobs/ab/<32 hex>, made whole in tmp/ and renamed into place."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
from collections.abc import AsyncIterable, Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType

from gateway.blobs.blocks import CORES, Blocks
from gateway.blobs.digests import Data, Digests
from gateway.blobs.errors import BlobCut, NoBlob, NoRoom
from gateway.blobs.keys import Keyring
from gateway.blobs.pushing import push, sync_names
from gateway.blobs.reading import BlobReader
from gateway.blobs.recent import Recent
from gateway.blobs.sealing import SealedReader, Sealer, size_of_plain
from gateway.blobs.sums import Sums, new_id, size_of_body

CRC64NVME = "CRC64NVME"
# So that finishing many GiB does not wait for all of them to reach the disk, and so little that the sync of a commit,
# which stands in the same queue, does not wait for much.
PUSH_EVERY = 4 << 20
THREADS = 16


class Blobs:
    """The blobs of one data folder. Any number of processes may share it."""

    def __init__(
        self,
        root: Path,
        begin: Callable[[], None] | None = None,
        remove: Callable[[Path], None] | None = None,
        keys: Keyring | None = None,
    ) -> None:
        """`begin` is called by each thread that works on bodies, first of all; `remove` unlinks what is there."""
        self._blobs = root / "blobs"
        self._tmp = root / "tmp"
        self._tmp.mkdir(parents=True, exist_ok=True)
        for first in range(256):
            (self._blobs / f"{first:02x}").mkdir(parents=True, exist_ok=True)
        sync_names(self._blobs)
        sync_names(root)
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs", initializer=begin)
        # No more than can run: each that is put off with Python's lock in its hands holds the event loop up.
        self._hashing = ThreadPoolExecutor(CORES, thread_name_prefix="hashing", initializer=begin)
        # Numbers of descriptors are given out from the lowest, so a high one says that many are open.
        self._many = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
        self.crowded = False
        self._recent = Recent()
        self._remove = remove or partial(Path.unlink, missing_ok=True)
        self.keys = keys or Keyring(root)

    def new(self, digests: Digests | None = None, key: bytes | None = None) -> Blob:
        """A blob to be written; each block passes through the `digests` too, in threads side by side.

        With a `key`, which must be of no other body, what lies on the disk is sealed by it.
        """
        blob = new_id()
        sealer = Sealer(key) if key is not None else None
        return Blob(blob, self.draft(blob), self.path(blob), digests or Digests(()), self.pool, self._hashing, sealer)

    async def digest(self, chunks: AsyncIterable[bytes | memoryview], digests: Digests) -> None:
        """Passes bytes that are stored already through digests, in threads side by side."""
        blocks = Blocks((self._hashing, update) for update in [digests.update_fast, *digests.slow])
        async for chunk in chunks:
            await blocks.write(chunk)
        await blocks.done()

    def path(self, blob: bytes) -> Path:
        name = blob.hex()
        return self._blobs / name[:2] / name

    def draft(self, blob: bytes) -> Path:
        return self._tmp / blob.hex()

    def open(self, blob: bytes) -> int:
        """A descriptor of the caller's own, good to read by even after the blob is unlinked."""
        try:
            file = os.open(self.path(blob), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NoBlob(blob) from None
        self.crowded = file >= self._many
        return file

    def reader(self, blob: bytes, start: int, length: int) -> BlobReader:
        """Raises NoBlob, and BlobCut while nothing of it was sent yet."""
        file = self.open(blob)
        found = os.fstat(file)
        size = size_of_body(blob, found.st_size)
        if size < start + length:
            os.close(file)
            raise BlobCut(blob, size)
        return BlobReader(blob, file, size, start, length, self.pool, self._recent, found.st_ctime_ns)

    def sealed_reader(self, blob: bytes, key: bytes, start: int, length: int) -> SealedReader:
        """The same of one that was sealed by the key."""
        file = self.open(blob)
        stored = size_of_body(blob, os.fstat(file).st_size)
        if size_of_plain(stored) < start + length:
            os.close(file)
            raise BlobCut(blob, stored)
        return SealedReader(blob, file, stored, key, start, length, self.pool)

    async def drop(self, blobs: Iterable[bytes]) -> None:
        """Unlinks in a thread: the file system may take its time over a large one."""
        await asyncio.get_running_loop().run_in_executor(self.pool, self.unlink, list(blobs))

    def unlink(self, blobs: Iterable[bytes]) -> None:
        for blob in blobs:
            self._remove(self.path(blob))

    def clear_tmp(self) -> None:
        """Drops what a killed server left half-written; only while nobody writes."""
        for path in self._tmp.iterdir():
            path.unlink(missing_ok=True)

    def sweep(
        self,
        alive: Callable[[bytes], bool],
        named: Callable[[list[bytes]], Iterable[bytes]],
        before: float,
        went_back: Callable[[], bool],
    ) -> list[bytes]:
        """Unlinks the blobs last written before that time (seconds since the epoch) which are not alive.

        They are not `named`, either, by those who were asked last. A blob is durable a moment before the record that
        names it: leave that moment in `before`. Nothing is unlinked where the clock `went_back` since: what was written
        just now would seem to be of before.
        """
        suspects = [blob for blob in self.older_than(before) if not alive(blob)]
        dead = set(suspects).difference(named(suspects)) if suspects else set()
        if went_back():
            return []
        self.unlink(dead)
        return list(dead)

    def older_than(self, before: float) -> Iterable[bytes]:
        for folder in sorted(self._blobs.iterdir()):
            for path in folder.iterdir():
                try:
                    if path.stat().st_mtime < before:
                        yield bytes.fromhex(path.name)
                except (FileNotFoundError, ValueError):  # unlinked just now, or no blob of ours
                    continue

    def close(self) -> None:
        self._hashing.shutdown(wait=True)
        self.pool.shutdown(wait=True)


class Blob:
    """One blob being written. Leaving the block before `finish` leaves nothing on disk."""

    def __init__(
        self,
        blob: bytes,
        draft: Path,
        path: Path,
        digests: Digests,
        pool: ThreadPoolExecutor,
        hashing: Executor,
        sealer: Sealer | None = None,
    ) -> None:
        self.id = blob
        self._draft = draft
        self._path = path
        self._digests = digests
        self._pool = pool
        self._sums = Sums(blob)
        self._sealer = sealer
        # It comes with the sums, where those are of the same bytes.
        self._wants_crc = sealer is None and digests.leave(CRC64NVME)
        self._blocks = Blocks([(pool, self._append), *((hashing, update) for update in digests.slow)])
        self._pushing: Future[None] | None = None
        self._written = self._pushed = 0
        self._finished = False

    async def __aenter__(self) -> Blob:
        self._file = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return self

    async def write(self, data: Data) -> None:
        """Takes the bytes over; holds two blocks of memory at most, and they must not change."""
        await self._blocks.write(data)

    async def finish(self) -> tuple[bytes, int, dict[str, bytes]]:
        """Its id, its size and its digests. Durable under that id when this returns."""
        await self._blocks.done(self._publish)
        os.close(self._file)
        self._finished = True
        digests = self._digests.digests()
        if self._wants_crc:
            digests[CRC64NVME] = self._sums.digest()
        return self.id, self._blocks.size, digests

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            await asyncio.shield(asyncio.ensure_future(self._abandon()))

    def _append(self, block: Data) -> None:
        stored = block if self._sealer is None else self._sealer.update(block)
        try:
            self._write(stored)
            self._written += len(stored)
            if self._written - self._pushed >= PUSH_EVERY:
                self._push()
        except OSError as error:
            raise _no_room(error, self._draft) from error
        self._sums.update(stored)
        self._digests.update_fast(block)

    def _write(self, data: Data) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def _push(self) -> None:
        """Beside the writing; a disk that cannot follow slows the writer down."""
        if self._pushing is not None:
            self._pushing.result()
        self._pushing = self._pool.submit(push, self._file, self._pushed, self._written - self._pushed)
        self._pushed = self._written

    def _publish(self) -> None:
        last = b"" if self._sealer is None else self._sealer.finish()
        self._sums.update(last)
        try:
            self._write(last + self._sums.table())
            if self._pushing is not None:
                self._pushing.result()
            os.fsync(self._file)
            self._draft.rename(self._path)
            sync_names(self._path.parent)
        except OSError as error:
            raise _no_room(error, self._draft) from error

    async def _abandon(self) -> None:
        # A thread may still be writing: closed under it, the number could become somebody else's file.
        await self._blocks.abandoned()
        if self._pushing is not None:
            await asyncio.gather(asyncio.wrap_future(self._pushing), return_exceptions=True)
        os.close(self._file)
        self._draft.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)


def _no_room(error: OSError, path: Path) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoRoom(str(path))
    return error
