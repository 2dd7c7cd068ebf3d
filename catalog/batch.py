"""Records on their way into the commit log."""

from __future__ import annotations

import os
import struct

from awscrt.checksums import crc32c

from catalog.log import FRAME, HEADER_SIZE, ROLL, Log
from catalog.records import Position

MESSAGE_ROOM = 128 * 1024  # a message that comes with a body is smaller than this: headers and tags bound it
_IOV_MAX = 1024
_FRAME_SIZE = FRAME.size
_AFTER_CRC = struct.Struct("<IIQ").pack  # the rest of a frame


class Batch:
    """Placed one after another, then written and synced at once."""

    def __init__(self, log: Log, end: Position) -> None:
        self._log = log
        self._start = end
        self._segment, self._offset, self.seq, self._chain = end.segment, end.offset, end.seq, end.chain
        self._first, self._room = end.offset, log.size_of(end.segment)
        self._buffers: list[bytes] = []
        self.last_offset = 0
        self.count = 0

    @property
    def end(self) -> Position:
        return Position(self._segment, self._offset, self.seq, self._chain)

    def place(self, size: int) -> tuple[int, int]:
        """Segment and offset that a body of `size` bytes gets, if it is the next added."""
        if size and self._offset + 2 * _FRAME_SIZE + size + MESSAGE_ROOM > self._room:
            self._roll()
        return self._segment, self._offset + _FRAME_SIZE

    def add(self, body: bytes, message: bytes) -> None:
        """Append the record numbered `seq` + 1. A body must have been placed just before."""
        size = len(body) + len(message)
        if self._offset + 2 * _FRAME_SIZE + size > self._room:
            if body:
                raise ValueError(f"a message of {len(message)} bytes beside a body")
            self._roll()
        self.seq += 1
        self.count += 1
        self._append(len(body), body, message)

    def sync(self) -> None:
        """Write what was added and wait until the disk has it. OSError: nothing of it counts."""
        descriptor = self._write()
        os.fdatasync(descriptor)

    def _append(self, body_length: int, body: bytes, message: bytes) -> None:
        record = b"".join((_AFTER_CRC(body_length, len(message), self.seq), body, message))
        self._chain = crc32c(record, self._chain)
        self._buffers += (self._chain.to_bytes(4, "little"), record)
        self.last_offset = self._offset
        self._offset += 4 + len(record)

    def _roll(self) -> None:
        """OSError: the batch is as it was before."""
        before = self._buffers[:], self._first, self._offset, self._chain, self.last_offset
        try:
            self._append(ROLL, b"", b"")
            os.fdatasync(self._write())
            start = Position(self._segment + 1, HEADER_SIZE, self.seq, self._chain)
            self._log.open_segment(start)
        except OSError:
            self._buffers, self._first, self._offset, self._chain, self.last_offset = before
            raise
        self._segment, self._offset = start.segment, start.offset
        self._first, self._buffers, self._room = start.offset, [], self._log.size_of(start.segment)

    def _write(self) -> int:
        descriptor = self._log.file_for_writing(self._segment)
        offset = self._first
        for first in range(0, len(self._buffers), _IOV_MAX):
            buffers = self._buffers[first : first + _IOV_MAX]
            size = sum(map(len, buffers))
            written = os.pwritev(descriptor, buffers, offset)
            if written != size:
                raise OSError(f"wrote {written} of {size} bytes to the commit log")
            offset += size
        self._buffers, self._first = [], offset
        return descriptor
