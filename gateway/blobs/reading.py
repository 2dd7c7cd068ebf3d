"""Reading a blob, or moving it into a socket: from the page cache on the event loop, from the disk in a thread.

No byte goes out before the block that it is in was read and held against its checksum: by this reader, or, where the
bytes have stayed in the page cache, by another one a moment ago.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from gateway.blobs.errors import BlobCut
from gateway.blobs.recent import FRESH, Recent
from gateway.blobs.sums import BLOCK, Table, around, fill, has_sums

T = TypeVar("T")

CHUNK = 256 << 10  # the fastest from the page cache; larger ones fall out of the CPU's own
DISK_CHUNK = 1 << 20
BURST = 1 << 20  # what a socket gets in one go: more would keep others waiting
PROBES = 128 << 10  # the distance of the places where a stretch is asked whether it is in the page cache
NO_WAIT: int = getattr(os, "RWF_NOWAIT", 0)
UNABLE = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)  # says a file system or kernel that has no such flag
_SCRATCH = memoryview(bytearray(CHUNK + BLOCK))  # the event loop's, for a step that does not wait


class BlobReader:
    """The bytes `start` to `start + length` of a blob, by an open descriptor that this owns from now on."""

    __slots__ = (
        "_blob",
        "_changed",
        "_end",
        "_file",
        "_no_wait",
        "_pool",
        "_position",
        "_recent",
        "_size",
        "_table",
        "_until",
        "_verified",
    )

    def __init__(
        self, blob: bytes, file: int, size: int, start: int, length: int, pool: Executor, recent: Recent, changed: int
    ) -> None:
        """`size` is that of the whole body, `changed` when the file was written last."""
        self._blob = blob
        self._file = file
        self._size = size
        self._position = start
        self._end = start + length
        self._pool = pool
        self._recent = recent
        self._changed = changed
        self._no_wait = NO_WAIT
        self._table = Table(blob, file, size, self._end) if has_sums(blob) else None
        self._verified = start
        self._until = 0.0

    @property
    def left(self) -> int:
        return self._end - self._position

    async def send_to(self, line: int) -> bool:
        """Moves the next bytes from the page cache into a socket that does not block. False: it is full for now."""
        await self.verify()
        wanted = self._verified - self._position
        try:
            sent = os.sendfile(line, self._file, self._position, wanted)
        except BlockingIOError:
            return False
        if not sent:
            raise BlobCut(self._blob, self._position)
        self._position += sent
        return sent == wanted

    async def verify(self) -> None:
        """What `send_to` sends next. Raises BlobDamaged, BlobCut, OSError."""
        now = asyncio.get_running_loop().time()
        start, stop = self._position, self._stop(BURST)
        stretch = self._blob, self._changed, start // BURST
        if self._verified == stop:
            until = self._until
        else:
            until = self._recent.until(stretch) if (stop - 1) // BURST == start // BURST else 0.0
        if (now >= until and self._table is not None) or not self._is_cached(stop):
            await self._now_or_in_thread(self._pass, stop, stop)
            until = now + FRESH
            if start % BURST == 0 and (stop % BURST == 0 or stop == self._size):
                self._recent.add(stretch, until)
        self._verified, self._until = stop, until

    async def read(self) -> bytes | memoryview:
        """The next bytes, as many as come at once; b"" at the end. Raises as `verify`."""
        if self.left <= 0:
            return b""
        data = await self._now_or_in_thread(self._take, self._stop(CHUNK), self._stop(DISK_CHUNK))
        self._position += len(data)
        return data

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _stop(self, step: int) -> int:
        """Where the next bytes end, `step` of them at most: at a multiple of it, so that no block is read twice."""
        return self._end if self.left <= step else self._position - self._position % step + step

    async def _now_or_in_thread(self, work: Callable[[int, int], T], near: int, far: int) -> T:
        """The work up to `near`, if all of that is in the page cache, else up to `far` in a thread."""
        if self._no_wait:
            try:
                return work(near, self._no_wait)
            except BlockingIOError:
                pass
            except OSError as error:
                self._without_no_wait(error)
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, far, 0)

    def _is_cached(self, stop: int) -> bool:
        """Whether all up to there can be sent without waiting for the disk, as far as samples tell."""
        if not self._no_wait:
            return False
        buffer = [bytearray(1)]
        try:
            for place in (*range(self._position, stop, PROBES), stop - 1):
                os.preadv(self._file, buffer, place, self._no_wait)
        except BlockingIOError:
            return False
        except OSError as error:
            self._without_no_wait(error)
            return False
        return True

    def _without_no_wait(self, error: OSError) -> None:
        if error.errno not in UNABLE:
            raise error
        self._no_wait = 0

    def _pass(self, stop: int, flags: int) -> None:
        buffer = _SCRATCH if flags else memoryview(bytearray(CHUNK + BLOCK))
        start = self._position
        while start < stop:
            end = min(stop, start - start % CHUNK + CHUNK)
            self._fill(buffer, start, end, flags)
            start = end

    def _take(self, stop: int, flags: int) -> bytes | memoryview:
        if flags:
            return bytes(self._fill(_SCRATCH, self._position, stop, flags))
        return self._fill(memoryview(bytearray(DISK_CHUNK + BLOCK)), self._position, stop, flags)

    def _fill(self, buffer: memoryview, start: int, stop: int, flags: int) -> memoryview:
        """The bytes from `start` to `stop`, sound, in a buffer that has room for the blocks around them."""
        if self._table is None:
            content = buffer[: stop - start]
            fill(self._blob, self._file, content, start, flags)
            return content
        first, last = around(start, stop, self._size)
        blocks = buffer[: last - first]
        fill(self._blob, self._file, blocks, first, flags)
        self._table.check(blocks, first, flags)
        return blocks[start - first : stop - first]
