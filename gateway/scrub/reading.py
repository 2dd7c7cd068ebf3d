"""Reading large bodies once, and leaving the page cache to those who read more often."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

BLOCK = 1 << 20
NO_WAIT: int = getattr(os, "RWF_NOWAIT", 0)
_UNABLE = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


def blocks(path: Path, at: int, size: int) -> Iterator[bytes]:
    """As many as there are. What was not in the page cache is not when it was read. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)  # nothing is read ahead, to stay there
        end = at + size
        while at < end and (block := _block(file, at, min(BLOCK, end - at))):
            yield block
            at += len(block)
    finally:
        os.close(file)


def _block(file: int, at: int, size: int) -> bytes:
    buffer = bytearray(size)
    try:
        if NO_WAIT and (got := os.preadv(file, [buffer], at, NO_WAIT)):
            return bytes(memoryview(buffer)[:got])
    except OSError as error:
        if not isinstance(error, BlockingIOError) and error.errno not in _UNABLE:
            raise
    block = os.pread(file, size, at)
    os.posix_fadvise(file, at, len(block), os.POSIX_FADV_DONTNEED)
    return block
