"""The checksum of each block of a blob, kept behind its bytes in the same file: any stretch of it can be verified.

A blob's id says whether it has them, so that no damage to the file can hide that it had.
"""

from __future__ import annotations

import os
import struct
from typing import cast

from awscrt import checksums

from gateway.blobs.digests import Data
from gateway.blobs.errors import BlobCut, BlobDamaged

BLOCK = 64 << 10  # larger ones cost small reads more, smaller ones hardly less
SUM = 8  # bytes, of CRC-64/NVME
MARK = b"sums"  # the end of an id; what was written before there were sums has 16 random bytes instead
WINDOW = 512  # sums that are held at once


def new_id() -> bytes:
    return os.urandom(16 - len(MARK)) + MARK


def has_sums(blob: bytes) -> bool:
    return blob.endswith(MARK)


def size_of_body(blob: bytes, size: int) -> int:
    """Of a blob whose file has that size."""
    return max(0, size - SUM * -(-size // (BLOCK + SUM))) if has_sums(blob) else size


def size_of_file(blob: bytes, size: int) -> int:
    """Of a blob whose body has that size."""
    return size + SUM * -(-size // BLOCK) if has_sums(blob) else size


def around(start: int, stop: int, size: int) -> tuple[int, int]:
    """The whole blocks that hold a stretch of a body of that size."""
    return start - start % BLOCK, min(size, stop + -stop % BLOCK)


class Sums:
    """Those of a blob, from its bytes as they come; the CRC-64/NVME of the whole comes with them."""

    def __init__(self, blob: bytes) -> None:
        self._begin = _begin(blob)
        self._value = self._whole = 0
        self._room = BLOCK
        self._done = bytearray()

    def update(self, data: Data) -> None:
        view = memoryview(data)
        while view:
            block, view = view[: self._room], view[self._room :]
            self._value = checksums.crc64nvme(block, self._value)
            self._room -= len(block)
            if not self._room:
                self._end_block()

    def table(self) -> bytes:
        """What goes behind the bytes, once all have come."""
        if self._room < BLOCK:
            self._end_block()
        return bytes(self._done)

    def digest(self) -> bytes:
        """CRC64NVME, when there is a table."""
        return self._whole.to_bytes(8, "big")

    def _end_block(self) -> None:
        size = BLOCK - self._room
        self._done += struct.pack("<Q", checksums.combine_crc64nvme(self._begin, self._value, size))
        self._whole = checksums.combine_crc64nvme(self._whole, self._value, size)
        self._value, self._room = 0, BLOCK


class Table:
    """The sums of a blob in an open file, read as they are needed for what lies before `end`; `size` is the body's."""

    __slots__ = ("_begin", "_blob", "_end", "_file", "_first", "_size", "_sums")

    def __init__(self, blob: bytes, file: int, size: int, end: int) -> None:
        self._blob = blob
        self._file = file
        self._size = size
        self._end = end
        self._begin = _begin(blob)
        self._first = 0  # of those held
        self._sums: tuple[int, ...] = ()

    def check(self, content: memoryview, at: int, flags: int) -> None:
        """Whole blocks from `at` on. `flags` are preadv's. Raises BlobDamaged, BlobCut, OSError."""
        begin, crc = self._begin, checksums.crc64nvme
        first, size = at // BLOCK - self._first, len(content)
        last = first + -(-size // BLOCK)
        if first < 0 or last > len(self._sums):
            self._load(at // BLOCK, flags)
            first, last = 0, last - first
        for start, known in zip(range(0, size, BLOCK), self._sums[first:last], strict=True):
            if crc(content[start : start + BLOCK], begin) != known:
                raise BlobDamaged(self._blob, at + start, min(at + start + BLOCK, self._size))

    def _load(self, first: int, flags: int) -> None:
        count = min(WINDOW, (self._end - 1) // BLOCK - first + 1)
        buffer = bytearray(count * SUM)
        fill(self._blob, self._file, memoryview(buffer), self._size + first * SUM, flags)
        self._sums = struct.unpack(f"<{count}Q", buffer)
        self._first = first


def compare(blob: bytes, file: int, size: int, first: int, found: bytes) -> None:
    """The sums of the blocks from number `first` on, with those of a body of that size. Raises BlobDamaged, OSError."""
    known = os.pread(file, len(found), size + first * SUM)
    wrong = [at // SUM for at in range(0, len(found), SUM) if found[at : at + SUM] != known[at : at + SUM]]
    if wrong:
        raise BlobDamaged(blob, (first + wrong[0]) * BLOCK, min(size, (first + wrong[-1] + 1) * BLOCK))


def renew(blob: bytes, file: int, size: int, start: int, stop: int) -> None:
    """The sums of the blocks that lie wholly in a stretch, by the bytes that are there; the body has that size."""
    last = stop // BLOCK if stop < size else -(-size // BLOCK)
    for number in range(-(-start // BLOCK), last):
        at = number * BLOCK
        value = checksums.crc64nvme(os.pread(file, min(BLOCK, size - at), at), _begin(blob))
        os.pwrite(file, struct.pack("<Q", value), size + number * SUM)


def fill(blob: bytes, file: int, buffer: memoryview, at: int, flags: int) -> None:
    """All of the buffer, from `at` on. Raises BlobCut, OSError; BlockingIOError: not all is in the page cache."""
    while (got := os.preadv(file, [buffer], at, flags)) < len(buffer):
        if not got:
            raise BlobCut(blob, at)
        buffer, at = buffer[got:], at + got


def _begin(blob: bytes) -> int:
    """Each sum goes on from that of the id: those of another blob do not fit."""
    return cast("int", checksums.crc64nvme(blob))
