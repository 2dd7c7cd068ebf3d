"""Listings: their cost is what they return. A delimiter seeks past each common prefix."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import lmdb

from catalog.index import Index
from catalog.index.apply import locate
from catalog.index.entries import named, row_of
from catalog.index.keys import (
    CHUNK,
    END,
    behind_all,
    escape,
    space_of,
    unescape,
    upload_bytes,
)
from catalog.index.lookup import decode_upload, version_by_id
from catalog.records import Bucket, Upload
from catalog.rows import ListedVersion, Page, VersionPage, parted

T = TypeVar("T")

_FIRST = 8  # entries read at once before it is known how many there are; then twice as many


@dataclass(slots=True)
class UploadPage:
    items: list[Upload] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    truncated: bool = False
    next_key: str = ""
    next_upload: str = ""


def list_objects(
    index: Index, txn: lmdb.Transaction, bucket: Bucket, prefix: str, delimiter: str, after: str, limit: int
) -> Page:
    if limit <= 0:
        return Page()
    page, last = Page(), ""
    rows = page.rows
    for run, common in _runs(index, txn, space_of(bucket.id), _Room(prefix, delimiter, after), limit + 1):
        left = limit - len(rows) - len(page.prefixes)
        if run and left:
            rows += run[:left]
            last = ""
        if len(run) > left or (common is not None and len(run) == left):
            page.truncated, page.next = True, last or parted(rows[-1])[0]
            break
        if common is not None:
            last = unescape(common)
            page.prefixes.append(last)
    return page


def _runs(
    index: Index, txn: lmdb.Transaction, space: bytes, room: _Room, most: int
) -> Iterator[tuple[list[bytes], bytes | None]]:
    """Rows of objects that have no common prefix, then the common prefix that ends the run, if one does."""
    if not _has_children(txn, index.spaces, space, room):
        return _direct_runs(txn, index.objects, space, room, most)
    entries = room.roll_up(room.start, lambda at: walk(txn, index.objects, index.spaces, space, at))
    return (([key + row_of(raw)], None) if common is None else ([], common) for common, key, raw in entries)


def _direct_runs(
    txn: lmdb.Transaction, table: object, space: bytes, room: _Room, most: int
) -> Iterator[tuple[list[bytes], bytes | None]]:
    """The commonest listing, without a layer between the cursor and the page; at most `most` entries are read ahead."""
    start, end, size = space + room.start, room.end(space), min(_FIRST, most)
    with txn.cursor(db=table) as cursor:
        while cursor.set_range(start[:511]):
            entries = iter(cursor)
            common = None
            while common is None:
                found: list[tuple[bytes, bytes]] = list(islice(entries, size))
                more = len(found) == size
                if found and found[-1][0] >= end:
                    del found[bisect_left(found, (end,)) :]
                    more = False
                if room.delimiter:
                    common = room.cut(space, found)
                yield [key[8:] + entry[1 : entry[0]] for key, entry in found], common
                if common is None and not more:
                    return
                most -= len(found)
                size = min(2 * size, most)
            start, size = space + behind_all(common), 1


def list_versions(
    index: Index,
    txn: lmdb.Transaction,
    bucket: Bucket,
    prefix: str,
    delimiter: str,
    after_key: str,
    after_version: str,
    limit: int,
) -> VersionPage:
    """Raises BadVersionId for an `after_version` that never was one."""
    page = VersionPage()
    if limit <= 0:
        return page
    room = _Room(prefix, delimiter, after_key)
    space = space_of(bucket.id)
    start, below = room.start, None
    if after_key and after_version:
        below = _marker_seq(index, txn, bucket, after_key, after_version)
        if below is not None:
            start = max(escape(after_key), room.prefix)
    resumed = escape(after_key)

    def versions(at: bytes) -> Iterator[tuple[bytes, tuple[bytes, bool]]]:
        for key, entry, latest in _all_versions(index, txn, space, at):
            if below is None or key != resumed or named(entry).seq < below:
                yield key, (entry, latest)

    for common, key, (entry, latest) in room.roll_up(start, versions):
        if len(page.items) + len(page.prefixes) == limit:
            page.truncated = True
            break
        if common is not None:
            page.prefixes.append(unescape(common))
            page.next_key, page.next_version = page.prefixes[-1], ""
        else:
            version = named(entry)
            page.items.append(ListedVersion(unescape(key), version.seq, version.version_id, latest, row_of(entry)))
            page.next_key, page.next_version = page.items[-1].key, version.version_id
    return page


def list_uploads(
    index: Index,
    txn: lmdb.Transaction,
    bucket: Bucket,
    prefix: str,
    delimiter: str,
    after_key: str,
    after_upload: str,
    limit: int,
) -> UploadPage:
    page = UploadPage()
    if limit <= 0:
        return page
    room = _Room(prefix, delimiter, after_key)
    space = space_of(bucket.id)
    start, marker = room.start, upload_bytes(after_upload) if after_upload else None
    if after_key and marker is not None:
        start = max(escape(after_key) + END + marker + b"\0", room.prefix)

    def uploads(at: bytes) -> Iterator[tuple[bytes, bytes]]:
        for place, raw in walk(txn, index.uploads, index.spaces, space, at):
            yield place[:-18], raw

    for common, _, raw in room.roll_up(start, uploads):
        if len(page.items) + len(page.prefixes) == limit:
            page.truncated = True
            break
        if common is not None:
            page.prefixes.append(unescape(common))
            page.next_key, page.next_upload = page.prefixes[-1], ""
        else:
            page.items.append(decode_upload(raw))
            page.next_key, page.next_upload = page.items[-1].key, page.items[-1].upload_id
    return page


def walk(
    txn: lmdb.Transaction, table: object, spaces: object, space: bytes, start: bytes
) -> Iterator[tuple[bytes, bytes]]:
    """Entries of a space from `start` on, in S3's order, those of its child spaces (very long keys) among them."""
    children = _children(txn, spaces, space, start)
    child = next(children, None)
    if child is None:
        return _direct(txn, table, space, start)
    return _merged(txn, table, spaces, space, start, child, children)


def _direct(txn: lmdb.Transaction, table: object, space: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
    with txn.cursor(db=table) as cursor:
        if not cursor.set_range((space + start)[:511]):
            return
        end = space_of(int.from_bytes(space, "big") + 1)
        for key, value in cursor:
            if key >= end:
                return
            key = key[8:]
            if key >= start:
                yield key, value


def _merged(
    txn: lmdb.Transaction,
    table: object,
    spaces: object,
    space: bytes,
    start: bytes,
    child: tuple[bytes, bytes] | None,
    children: Iterator[tuple[bytes, bytes]],
) -> Iterator[tuple[bytes, bytes]]:
    direct = _direct(txn, table, space, start)
    entry = next(direct, None)
    while child is not None:
        chunk, inner = child
        # whatever is in the child space goes on behind the chunk with a byte of a key, which is no END
        while entry is not None and entry[0] < chunk + b"\0\1":
            yield entry
            entry = next(direct, None)
        rest = start[CHUNK:] if start.startswith(chunk) else b""
        for key, value in walk(txn, table, spaces, inner, rest):
            yield chunk + key, value
        child = next(children, None)
    while entry is not None:
        yield entry
        entry = next(direct, None)


def _has_children(txn: lmdb.Transaction, spaces: object, space: bytes, room: _Room) -> bool:
    """Whether any key that the room may hold is so long that it goes on in a child space."""
    with txn.cursor(db=spaces) as cursor:
        found: bool = cursor.set_range(space + room.start[:CHUNK])
        return found and cursor.key().startswith(space + room.prefix[:CHUNK])


def _children(txn: lmdb.Transaction, spaces: object, space: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
    with txn.cursor(db=spaces) as cursor:
        if not cursor.set_range(space + start[:CHUNK]):
            return
        for key, inner in cursor:
            if not key.startswith(space):
                return
            yield key[8:], inner


def _all_versions(
    index: Index, txn: lmdb.Transaction, space: bytes, start: bytes
) -> Iterator[tuple[bytes, bytes, bool]]:
    """Key, entry, whether it is the latest: each key's current version, then its noncurrent ones, newest first."""
    objects = walk(txn, index.objects, index.spaces, space, start)
    versions = walk(txn, index.versions, index.spaces, space, start)
    current, older = next(objects, None), next(versions, None)
    seen = b""
    while current is not None or older is not None:
        if current is not None and (older is None or current[0] <= older[0][:-10]):
            seen = current[0]
            yield seen, current[1], True
            current = next(objects, None)
        elif older is not None:
            key = older[0][:-10]
            yield key, older[1], key != seen
            seen = key
            older = next(versions, None)


def _marker_seq(index: Index, txn: lmdb.Transaction, bucket: Bucket, key: str, version_id: str) -> int | None:
    place = locate(index, txn, bucket.id, escape(key))
    found = version_by_id(index, txn, place, version_id)
    if found is not None:
        return found.seq
    return None if version_id == "null" else int(version_id[:16], 16)


class _Room:
    """The stretch of keys that a listing looks at, all in the index's spelling."""

    __slots__ = ("delimiter", "prefix", "start")

    def __init__(self, prefix: str, delimiter: str, after: str) -> None:
        self.prefix = escape(prefix)
        self.delimiter = escape(delimiter)
        self.start = self.prefix
        if after:
            raw = escape(after)
            behind = behind_all(raw) if delimiter and self.common_prefix(raw) == raw else raw + b"\0\1"
            self.start = max(self.prefix, behind)

    def end(self, space: bytes) -> bytes:
        """Behind all keys that it may hold in a space."""
        return behind_all(space + self.prefix) if self.prefix else space_of(int.from_bytes(space, "big") + 1)

    def roll_up(
        self, start: bytes, entries_from: Callable[[bytes], Iterator[tuple[bytes, T]]]
    ) -> Iterator[tuple[bytes | None, bytes, T]]:
        """Entries from `start` on; of those with a common prefix, that prefix with the first, the rest passed over."""
        entries = entries_from(start)
        while True:
            for key, value in entries:
                if not key.startswith(self.prefix):
                    return
                common = self.common_prefix(key) if self.delimiter else None
                yield common, key, value
                if common is not None:
                    entries = entries_from(behind_all(common))
                    break
            else:
                return

    def cut(self, space: bytes, found: list[tuple[bytes, bytes]]) -> bytes | None:
        """Take away what follows the first common prefix among entries of a space; that prefix."""
        delimiter, behind = self.delimiter, len(space) + len(self.prefix)
        if len(delimiter) == 1:
            # One look at all keys: none has more of them than each has up to the end of the prefix.
            within = (space + self.prefix).count(delimiter)
            if b"".join([key for key, _ in found]).count(delimiter) == within * len(found):
                return None
        for place, (key, _) in enumerate(found):
            at = key.find(delimiter, behind)
            if at >= 0:
                del found[place:]
                return key[len(space) : at + len(delimiter)]
        return None

    def common_prefix(self, key: bytes) -> bytes | None:
        found = key.find(self.delimiter, len(self.prefix)) if key.startswith(self.prefix) else -1
        return key[: found + len(self.delimiter)] if found >= 0 else None
