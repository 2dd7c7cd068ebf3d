"""Reading large bodies once, and leaving the page cache to those who read more often."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gateway.blobs.errors import BlobCut
from gateway.blobs.reading import NO_WAIT, UNABLE
from gateway.blobs.sums import BLOCK, Sums, around, compare, has_sums, size_of_body

PIECE = 1 << 20


def blocks(path: Path, at: int, size: int) -> Iterator[bytes]:
    """As many as there are. What was not in the page cache is not when it was read. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)  # nothing is read ahead, to stay there
        end = at + size
        while at < end and (block := _block(file, at, min(PIECE, end - at))):
            yield block
            at += len(block)
    finally:
        os.close(file)


def checked(path: Path, blob: bytes, at: int, size: int) -> Iterator[bytes]:
    """The same of a blob. Once all was read, BlobDamaged or BlobCut: the sums of its blocks do not fit."""
    if not has_sums(blob):
        yield from blocks(path, at, size)
        return
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        body = size_of_body(blob, os.fstat(file).st_size)
        if body < at + size:
            yield from blocks(path, at, size)
            raise BlobCut(blob, body)
        first, last = around(at, at + size, body)
        sums, position = Sums(blob), first
        for block in blocks(path, first, last - first):
            sums.update(block)
            yield block[max(0, at - position) : max(0, at + size - position)]
            position += len(block)
        compare(blob, file, body, first // BLOCK, sums.table())
    finally:
        os.close(file)


def _block(file: int, at: int, size: int) -> bytes:
    buffer = bytearray(size)
    try:
        if NO_WAIT and (got := os.preadv(file, [buffer], at, NO_WAIT)):
            return bytes(memoryview(buffer)[:got])
    except OSError as error:
        if not isinstance(error, BlockingIOError) and error.errno not in UNABLE:
            raise
    block = os.pread(file, size, at)
    os.posix_fadvise(file, at, len(block), os.POSIX_FADV_DONTNEED)
    return block
