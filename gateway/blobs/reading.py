"""Reading a blob, or moving it into a socket: from the page cache on the event loop, from the disk in a thread."""

from __future__ import annotations

import asyncio
import errno
import os
from concurrent.futures import Executor

from gateway.blobs.errors import BlobCut

CHUNK = 256 << 10  # the fastest from the page cache; larger ones fall out of the CPU's own
DISK_CHUNK = 1 << 20
BURST = 1 << 20  # what a socket gets in one go: more would keep others waiting
PROBES = 128 << 10  # the distance of the places where a stretch is asked whether it is in the page cache
NO_WAIT: int = getattr(os, "RWF_NOWAIT", 0)


class BlobReader:
    """The bytes `start` to `start + length` of a blob, by an open descriptor that this owns from now on."""

    __slots__ = ("_blob", "_end", "_file", "_no_wait", "_pool", "_position")

    def __init__(self, blob: bytes, file: int, start: int, length: int, pool: Executor) -> None:
        self._blob = blob
        self._file = file
        self._position = start
        self._end = start + length
        self._pool = pool
        self._no_wait = NO_WAIT

    @property
    def left(self) -> int:
        return self._end - self._position

    async def send_to(self, line: int) -> int:
        """Moves the next bytes from the page cache into a socket that does not block, and says how many.

        Raises BlockingIOError while the socket is full.
        """
        wanted = min(self.left, BURST)
        if not self._is_cached(wanted):
            loop = asyncio.get_running_loop()
            # Read into the page cache and dropped: the socket itself is no thread's business.
            await loop.run_in_executor(self._pool, os.pread, self._file, wanted, self._position)
        sent = os.sendfile(line, self._file, self._position, wanted)
        if not sent:
            raise BlobCut(self._blob, self._position)
        self._position += sent
        return sent

    async def read(self) -> bytes | memoryview:
        """The next bytes, as many as come at once; b"" at the end."""
        wanted = self.left
        if wanted <= 0:
            return b""
        data: bytes | memoryview = b""
        if self._no_wait:
            data = self._cached(min(wanted, CHUNK))
        if not data:
            loop = asyncio.get_running_loop()
            length = min(wanted, DISK_CHUNK)
            data = await loop.run_in_executor(self._pool, os.pread, self._file, length, self._position)
            if not data:
                raise BlobCut(self._blob, self._position)
        self._position += len(data)
        return data

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _is_cached(self, wanted: int) -> bool:
        """Whether that much can be sent without waiting for the disk, as far as samples tell."""
        if not self._no_wait:
            return False
        places = (*range(self._position, self._position + wanted, PROBES), self._position + wanted - 1)
        buffer = [bytearray(1)]
        try:
            for place in places:
                os.preadv(self._file, buffer, place, self._no_wait)
        except BlockingIOError:
            return False
        except OSError as error:
            self._without_no_wait(error)
            return False
        return True

    def _cached(self, wanted: int) -> bytes | memoryview:
        """What of it is in the page cache: reading that costs less than a hand-over to a thread."""
        buffer = bytearray(wanted)
        try:
            got = os.preadv(self._file, [buffer], self._position, self._no_wait)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._without_no_wait(error)
            return b""
        return memoryview(buffer)[:got]

    def _without_no_wait(self, error: OSError) -> None:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise error
        self._no_wait = 0
