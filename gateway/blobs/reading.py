"""Reading a blob: from the page cache on the event loop, from the disk in a thread."""

from __future__ import annotations

import asyncio
import errno
import os
from concurrent.futures import Executor

from gateway.blobs.errors import BlobCut

CHUNK = 256 << 10  # the fastest from the page cache; larger ones fall out of the CPU's own
DISK_CHUNK = 1 << 20
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

    async def read(self) -> bytes | memoryview:
        """The next bytes, as many as come at once; b"" at the end."""
        wanted = self._end - self._position
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

    def _cached(self, wanted: int) -> bytes | memoryview:
        """What of it is in the page cache: reading that costs less than a hand-over to a thread."""
        buffer = bytearray(wanted)
        try:
            got = os.preadv(self._file, [buffer], self._position, self._no_wait)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
            self._no_wait = 0
            return b""
        return memoryview(buffer)[:got]
