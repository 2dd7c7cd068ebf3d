"""The commit log: preallocated segment files of records, each chained to the one before by its CRC.

A record is a frame (CRC, lengths, sequence number), a small body, and MessagePack. The CRC of a record continues the
CRC of its predecessor, so that what an unacknowledged, overwritten batch left behind can never be taken for the log's
going on. The log knows bytes and sequence numbers, nothing of keys.
"""

from __future__ import annotations

import errno
import os
import shutil
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from awscrt.checksums import crc32c
from msgspec.structs import astuple

from catalog.errors import CatalogUnusable
from catalog.freeing import Freeing
from catalog.placing import sync_path
from catalog.records import LogRecord, Piece, Position, seal_of

SEGMENT_SIZE = 64 * 1024 * 1024
FIRST_SIZE = 1024 * 1024  # of the first segment; each next is twice as large, so that a small catalog stays small
FRAME = struct.Struct("<IIIQ")  # CRC-32C of all that follows, body length, message length, sequence number
HEADER = struct.Struct("<8sI4xQ16sQI4x")  # magic, format, segment, catalog id, first sequence number, chain
HEADER_SIZE = 64
MAGIC = b"DUCKETLG"
FORMAT = 1
ROLL = 0xFFFFFFFF  # a frame whose body length is this says: the log goes on in the next segment
_MAX_FILES = 256
_READ = 256 * 1024

_Reached = tuple[int, int, int, int]  # a Position's fields: one is made for each record
_SEQ = 2  # among them

_decode = msgspec.msgpack.Decoder(LogRecord).decode


def beginning(catalog_id: bytes) -> Position:
    """Where the first record of a catalog goes; the catalog's id is the first link of the chain."""
    return Position(segment=1, offset=HEADER_SIZE, seq=0, chain=crc32c(catalog_id))


class Log:
    """The segment files of one data folder, for one process."""

    def __init__(self, directory: Path, catalog_id: bytes, segment_size: int = SEGMENT_SIZE) -> None:
        self.directory = directory
        self.catalog_id = catalog_id
        self.segment_size = segment_size
        self.seal = seal_of(catalog_id)
        self._files: dict[int, int] = {}
        self._writing: tuple[int, int] = (0, -1)
        self._freeing = Freeing()

    @staticmethod
    def catalog_of(directory: Path) -> bytes:
        """The catalog id that the newest segment bears. Raises CatalogUnusable where none can be read."""
        for path in sorted(directory.glob("*.log"), reverse=True):
            header = path.open("rb").read(HEADER.size)
            if len(header) == HEADER.size and header.startswith(MAGIC):
                _, version, _, catalog_id, _, _ = HEADER.unpack(header)
                if version > FORMAT:
                    raise _newer(path, version)
                return bytes(catalog_id)
        raise CatalogUnusable(f"{directory} holds no segment of a commit log: restore the data folder from a backup")

    @staticmethod
    def is_blank(directory: Path) -> bool:
        """Whether nothing was ever written: no segment is there, or a first one that the power left without header."""
        segments = list(directory.glob("*.log"))
        return len(segments) < 2 and not any(any(path.read_bytes()) for path in segments)

    def create(self) -> None:
        """Make the first segment of a new catalog."""
        self.directory.mkdir(exist_ok=True)
        self.open_segment(beginning(self.catalog_id))
        sync_path(self.directory.parent)

    def read_body(self, piece: Piece, start: int, length: int) -> bytes:
        """Bytes of a small body. FileNotFoundError: its segment was dropped, as nothing in it lives any more."""
        content = os.pread(self._file(piece.segment), length, piece.offset + start)
        if len(content) < length:
            self._refuse_dropped(piece.segment)
        return content

    def read(
        self, position: Position, end: Position | None, limit: int
    ) -> tuple[list[tuple[int, LogRecord]], Position]:
        """Up to `limit` records behind `position` and where they end; without an `end`, as far as the chain holds."""
        found: list[tuple[int, LogRecord]] = []
        last = sys.maxsize if end is None else end.seq
        if position.seq >= last:
            return found, position
        reached = astuple(position)
        for record, reached in self._records(position):
            if record is not None:
                found.append((reached[_SEQ], record))
                if len(found) == limit or reached[_SEQ] >= last:
                    return found, Position(*reached)
        if end is not None:
            raise CatalogUnusable(
                f"the commit log ends at sequence number {reached[_SEQ]}, but {end.seq} was acknowledged: "
                f"segment {reached[0]} in {self.directory} is damaged or missing"
            )
        return found, Position(*reached)

    def records_of(self, segment: int) -> Iterator[tuple[LogRecord, int, int]]:
        """Each record of a segment that is full, where it begins and how many bytes it takes.

        Raises CatalogUnusable where the segment is damaged, FileNotFoundError where it was dropped meanwhile.
        """
        start = self.start_of(segment)
        offset = start.offset
        for record, (_, end, _, _) in self._records_in_segment(start):
            if record is None:
                return
            yield record, offset, end - offset
            offset = end
        self._refuse_dropped(segment)
        raise CatalogUnusable(f"{self.path(segment)} is damaged at byte {offset}")

    def holds(self, end: Position, last_offset: int) -> bool:
        """Whether the record that begins at `last_offset` is the one that `end` stands behind.

        An index just made anew does not know where that record begins (`last_offset` is where it ends): it is sought.
        """
        if not self._usable(end.segment):
            return False
        if end.offset == HEADER_SIZE:
            return True
        if end.offset == last_offset:
            start, sought = self.start_of(end.segment), astuple(end)
            return any(reached == sought for _, reached in self._records_in_segment(start))
        frame = os.pread(self._file(end.segment), FRAME.size, last_offset)
        if len(frame) < FRAME.size:
            return False
        chain, body, message, seq = FRAME.unpack(frame)
        size = 0 if body == ROLL else body
        return bool(chain == end.chain and seq == end.seq and last_offset + FRAME.size + size + message == end.offset)

    def reaches(self, position: Position) -> bool:
        """Whether the record that `position` stands behind is there, or the segment at whose beginning it stands."""
        if position.offset == HEADER_SIZE:
            return self._begins(position)
        if not self._usable(position.segment):
            return False
        content = os.pread(self._file(position.segment), position.offset, 0)
        chain, at = position.chain.to_bytes(4, "little"), len(content)
        while (at := content.rfind(chain, HEADER_SIZE, at)) >= 0:
            if at + FRAME.size <= len(content):
                _, body, message, seq = FRAME.unpack_from(content, at)
                size = 0 if body == ROLL else body
                if seq == position.seq and at + FRAME.size + size + message == position.offset:
                    return True
            at += len(chain) - 1
        return False

    def goes_on(self, end: Position) -> bool:
        """Whether anything at all was written behind `end`."""
        return self.path(end.segment + 1).exists() or any(os.pread(self._file(end.segment), FRAME.size, end.offset))

    def missing(self, segments: Iterable[int]) -> list[int]:
        """Those of the segments that are not there, or are another catalog's."""
        return [segment for segment in segments if not self._usable(segment)]

    def segments(self) -> list[int]:
        return sorted(int(path.stem, 16) for path in self.directory.glob("*.log"))

    def path(self, segment: int) -> Path:
        return self.directory / f"{segment:016x}.log"

    def open_segment(self, start: Position) -> None:
        """Bring segment `start.segment` into being, from the one made ahead if there is one."""
        path = self.path(start.segment)
        if not path.exists():
            self.make_ahead(start.segment)
            self._ahead(start.segment).rename(path)
        descriptor = self.file_for_writing(start.segment)
        header = HEADER.pack(MAGIC, FORMAT, start.segment, self.catalog_id, start.seq, start.chain)
        os.pwrite(descriptor, header, 0)
        os.fdatasync(descriptor)
        sync_path(self.directory)

    def forget_behind(self, end: Position) -> None:
        """What was written behind `end` and never acknowledged must not come to life in a later replay."""
        descriptor = self.file_for_writing(end.segment)
        if any(os.pread(descriptor, FRAME.size, end.offset)):
            os.pwrite(descriptor, bytes(FRAME.size), end.offset)
            os.fdatasync(descriptor)

    def make_ahead(self, segment: int) -> None:
        """Lay out a segment to come on disk, so that a commit need not wait for it. OSError: there is no room.

        Room is looked for first: a try would take from others what they need yet, again and again.
        """
        ahead = self._ahead(segment)
        if ahead.exists():
            return
        left = self.size_of(segment)
        if shutil.disk_usage(self.directory).free < left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(ahead))
        making = self.directory / f"making.{os.getpid()}"
        zeros = bytes(FIRST_SIZE)
        try:
            with making.open("wb", buffering=0) as file:
                while left:
                    left -= file.write(zeros[:left])
                    os.fdatasync(file.fileno())  # all at once would stand before the sync of a commit
            making.rename(ahead)
            if self.path(segment).exists():  # a commit could not wait, and made its own
                ahead.unlink(missing_ok=True)
        finally:
            making.unlink(missing_ok=True)

    def clear_ahead(self, end: Position) -> None:
        """Remove what killed processes left half laid out, or too late; only while nobody else has the log open."""
        for path in self.directory.iterdir():
            if path.name.startswith("making.") or (path.suffix == ".ahead" and path != self._ahead(end.segment + 1)):
                path.unlink()

    def size_of(self, segment: int) -> int:
        return min(self.segment_size, FIRST_SIZE << min(segment - 1, 30))

    def drop(self, segment: int) -> None:
        """Remove a segment in which nothing lives; who reads in it this moment may find it cut."""
        descriptor = self._files.pop(segment, None)
        if descriptor is not None:
            os.close(descriptor)
        self._freeing.remove(self.path(segment), cut=True)

    def close(self) -> None:
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()
        if self._writing[1] >= 0:
            os.close(self._writing[1])
            self._writing = (0, -1)

    def file_for_writing(self, segment: int) -> int:
        """Its own descriptor, apart from the readers', who may close theirs while a commit is under way."""
        number, descriptor = self._writing
        if number != segment:
            if descriptor >= 0:
                os.close(descriptor)
                self._writing = (0, -1)
            descriptor = os.open(self.path(segment), os.O_RDWR | os.O_CLOEXEC)
            self._writing = (segment, descriptor)
        return descriptor

    def _ahead(self, segment: int) -> Path:
        return self.directory / f"{segment:016x}.ahead"

    def _file(self, segment: int) -> int:
        descriptor = self._files.get(segment)
        if descriptor is None:
            self._close_dropped()
            if len(self._files) >= _MAX_FILES:
                os.close(self._files.pop(next(iter(self._files))))
            descriptor = self._files[segment] = os.open(self.path(segment), os.O_RDONLY | os.O_CLOEXEC)
        return descriptor

    def _refuse_dropped(self, segment: int) -> None:
        """One that was dropped is cut, bit by bit."""
        if not os.fstat(self._file(segment)).st_nlink:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path(segment)))

    def _close_dropped(self) -> None:
        """Another process drops segments; their room on the disk comes free when nobody has them open any more."""
        for segment, descriptor in list(self._files.items()):
            if os.fstat(descriptor).st_nlink == 0:
                os.close(self._files.pop(segment))

    def start_of(self, segment: int) -> Position:
        """Where the first record of a segment goes."""
        header = os.pread(self._file(segment), HEADER.size, 0)
        _, _, _, _, seq, chain = HEADER.unpack(header)
        return Position(segment, HEADER_SIZE, seq, chain)

    def _begins(self, start: Position) -> bool:
        """Whether the segment is there and bears that beginning: one that an unacknowledged batch began does not."""
        return self._usable(start.segment) and self.start_of(start.segment) == start

    def _usable(self, segment: int) -> bool:
        try:
            header = os.pread(self._file(segment), HEADER.size, 0)
        except FileNotFoundError:
            return False
        if len(header) < HEADER.size:
            return False
        magic, version, number, catalog_id, _, _ = HEADER.unpack(header)
        if magic == MAGIC and version > FORMAT:
            raise _newer(self.path(segment), version)
        return bool(magic == MAGIC and version == FORMAT and number == segment and catalog_id == self.catalog_id)

    def _records(self, position: Position) -> Iterator[tuple[LogRecord | None, _Reached]]:
        """Every record behind `position` whose chain holds, and where it ends; None for the step into a next segment.

        A step that was not finished (the next segment has no name or header yet) is none: it has to be made again.
        """
        start: Position | None = position
        while start is not None and self._usable(start.segment):
            following, start = self._records_in_segment(start), None
            for record, reached in following:
                if record is None:
                    start = Position(*reached)
                    if not self._begins(start):
                        return
                yield record, reached

    def _records_in_segment(self, position: Position) -> Iterator[tuple[LogRecord | None, _Reached]]:
        descriptor = self._file(position.segment)
        segment, offset, seq, chain = position.segment, position.offset, position.seq, position.chain
        window, base = memoryview(b""), offset
        while True:
            at = offset - base
            if at + FRAME.size > len(window):
                window, base, at = memoryview(os.pread(descriptor, _READ, offset)), offset, 0
                if len(window) < FRAME.size:
                    return
            crc, body, message, number = FRAME.unpack_from(window, at)
            size = message if body == ROLL else body + message
            if number != (seq if body == ROLL else seq + 1) or offset + FRAME.size + size > self.segment_size:
                return
            if at + FRAME.size + size > len(window):
                window = memoryview(os.pread(descriptor, max(_READ, FRAME.size + size), offset))
                base, at = offset, 0
                if len(window) < FRAME.size + size:
                    return
            stop = at + FRAME.size + size
            if crc32c(window[at + 4 : stop], chain) != crc:
                return
            offset, seq, chain = offset + FRAME.size + size, number, crc
            if body == ROLL:
                yield None, (segment + 1, HEADER_SIZE, seq, chain)
                return
            yield _decode(window[stop - message : stop]), (segment, offset, seq, chain)


def _newer(path: Path, version: int) -> CatalogUnusable:
    return CatalogUnusable(
        f"{path} has format {version} of the commit log, but this version of Ducket knows only {FORMAT}: "
        "it was written by a newer Ducket; run that one, or restore a backup of the data folder"
    )
