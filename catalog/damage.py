"""Tells a log that a power cut tore from one that lost what was acknowledged.

Behind the last record of the chain there may be what is left of one batch that nobody was told of. Each record says up
to where all was acknowledged when it was written: one that says more than the chain holds proves that some is missing.
A body can be made to look like records; it cannot have the seal of the catalog.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from catalog.log import FRAME, HEADER_SIZE, Log
from catalog.records import LogRecord, Piece, Position

# Lengths and sequence number of a frame whose message is not empty, wherever they may lie; all are far below 2 ** 24.
_FRAME_LIKE = re.compile(rb"(?s)(?=...\x00(?!\x00\x00\x00)...\x00.....\x00\x00\x00)")
_CRC = 4
_decode = msgspec.msgpack.Decoder(LogRecord).decode


def is_cut_short(log: Log, end: Position) -> bool:
    """Whether records behind `end` were acknowledged."""
    return any(record.settled > end.seq for record in _records_behind(log, end))


def _records_behind(log: Log, end: Position) -> Iterator[LogRecord]:
    """What can be read as a record, in this segment and all later ones, whatever is broken before it."""
    for segment in log.segments():
        if segment >= end.segment:
            content = log.path(segment).read_bytes()
            start = end.offset if segment == end.segment else HEADER_SIZE
            yield from _records_in(content, start, end.seq, log.seal.to_bytes(8, "big"))


def _records_in(content: bytes, start: int, above: int, seal: bytes) -> Iterator[LogRecord]:
    written = len(content.rstrip(b"\0")) + FRAME.size
    for found in _FRAME_LIKE.finditer(content, start + _CRC, written):
        at = found.start() - _CRC
        _, body, message, seq = FRAME.unpack_from(content, at)
        stop = at + FRAME.size + body + message
        if seq > above and content.startswith(seal, stop - len(seal)):
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                yield _decode(content[stop - message : stop])


def put_back(log: Log, piece: Piece, content: bytes) -> None:
    """Write the bytes of a small body where its record has them, whose chain they are a link of. Raises OSError."""
    descriptor = os.open(log.path(piece.segment), os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, content, piece.offset)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
