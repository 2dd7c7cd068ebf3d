"""The rows of a listing as XML: the catalog keeps them ready but for the tags, which take the place of its marks.

A page of a thousand objects is some calls on all of its bytes, and none for a single row or key.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote_plus

from catalog.rows import (
    ALGORITHM,
    CHECKED_SIZE,
    CLASS,
    END,
    ETAG,
    GONE,
    KIND,
    ODD,
    PLAIN,
    SIZE,
    STANDARD,
    TEXT,
    ListedVersion,
    parted,
)
from gateway.s3.model import operations
from gateway.s3.xml import escape

FRACTION = b".000Z"  # S3 shows times with one, of whole seconds

Tags = list[tuple[bytes, bytes]]

_plain = re.compile(r"[A-Za-z0-9_.*/-]*").fullmatch


def object_rows(rows: list[bytes], url: bool, owner: str | None) -> bytes:
    """A page's Contents elements, with the owner in each if it is given."""
    page = b"".join(rows)
    if ODD[0] in page or (url and TEXT[0] in page):  # a number is looked for at a third of what bytes cost
        page = b"".join([_with_text(row, url) for row in rows])
    if not page:
        return page
    tags, ends = _object_tags(owner)
    return _exchanged(b"".join((_OBJECT_START, page[:-1], ends[page[-1:]])), tags)


def version_rows(items: list[ListedVersion], url: bool, owner: str) -> bytes:
    """A page's Version and DeleteMarker elements, mixed as they are."""
    kept = PLAIN if url else PLAIN + TEXT
    pieces = []
    for item in items:
        key = item.key if item.row[0] in kept else key_text(item.key, url)
        latest = "true" if item.latest else "false"
        start, before_id, before_latest, before_time = _MARKER_HEAD if item.delete_marker else _VERSION_HEAD
        pieces.append(f"{start}{key}{before_id}{item.version_id}{before_latest}{latest}{before_time}".encode())
        pieces.append(item.row[1:])
    return _exchanged(b"".join(pieces), _version_tags(owner))


def prefix_rows(prefixes: list[str], url: bool) -> bytes:
    """A page's CommonPrefixes elements."""
    if not prefixes:
        return b""
    between = _PREFIX_END + _PREFIX_START
    return f"{_PREFIX_START}{between.join([key_text(prefix, url) for prefix in prefixes])}{_PREFIX_END}".encode()


def key_text(key: str, url: bool) -> str:
    """A key as encoding-type wants it, fit to stand in an element."""
    return form_encoded(key) if url else escape(key)


def form_encoded(text: str) -> str:
    """As S3 does it: like a form, a space is a plus; but slashes stay."""
    if _plain(text):
        return text
    return quote_plus(text, safe="/*").replace("~", "%7E")


def _with_text(row: bytes, url: bool) -> bytes:
    """The row with a key that can be left as it is."""
    key, rest = parted(row)
    if rest[:1] == PLAIN or (rest[:1] == TEXT and not url):
        return row
    return key_text(key, url).encode() + PLAIN + rest[1:]


def _exchanged(rows: bytes, tags: Tags) -> bytes:
    for mark, tag in tags:
        rows = rows.replace(mark, tag)
    return rows


@lru_cache(maxsize=1024)
def _object_tags(owner: str | None) -> tuple[Tags, dict[bytes, bytes]]:
    """For the marks in a page of rows, and for the mark at its end, behind which no other row begins."""
    before_time = _tags("ListObjectsV2", "contents", "key", "last_modified")[1]
    tags, ends = _column_tags("ListObjectsV2", "contents", owner)
    between = [(mark, end + _OBJECT_START) for mark, end in ends.items()]
    return [(TEXT, before_time), *tags, (PLAIN, before_time), *between], ends


@lru_cache(maxsize=1024)
def _version_tags(owner: str) -> Tags:
    before_owner, end = _tags("ListObjectVersions", "delete_markers", "last_modified", "owner.id")[1:]
    tags, ends = _column_tags("ListObjectVersions", "versions", owner)
    return [*tags, *ends.items(), (GONE, FRACTION + before_owner + escape(owner).encode() + end)]


def _column_tags(listing: str, member: str, owner: str | None) -> tuple[Tags, dict[bytes, bytes]]:
    """For the marks within a row from its time on, those that a row may lack first, and for those that end one."""
    before_etag, before_size = _tags(listing, member, "last_modified", "etag", "size")[1:3]
    checksum = _tags(listing, member, "etag", "checksum_algorithm", "checksum_type", "size")[1:4]
    columns = ("size", "storage_class") if owner is None else ("size", "owner.id", "storage_class")
    *around_owner, end = _tags(listing, member, *columns)[1:]
    before_class = escape(owner or "").encode().join(around_owner)
    tags = [
        *zip((ALGORITHM, KIND, CHECKED_SIZE), checksum, strict=True),
        (CLASS, before_class),
        (SIZE, before_size),
        (ETAG, FRACTION + before_etag),
    ]
    return tags, {END: end, STANDARD: before_class + b"STANDARD" + end}


def _tags(listing: str, member: str, *columns: str) -> list[bytes]:
    """What stands before, between and behind these columns of a row."""
    return operations[listing].row_template(member, *columns).encode().split(b"%s")


def _head(listing: str, member: str) -> list[str]:
    """What stands before each column of a version that its row lacks, and before its time."""
    tags = _tags(listing, member, "key", "version_id", "is_latest", "last_modified")
    return [tag.decode() for tag in tags[:-1]]


_OBJECT_START = _tags("ListObjectsV2", "contents", "key")[0]
_PREFIX_START, _PREFIX_END = (tag.decode() for tag in _tags("ListObjectsV2", "common_prefixes", "prefix"))
_VERSION_HEAD = _head("ListObjectVersions", "versions")
_MARKER_HEAD = _head("ListObjectVersions", "delete_markers")
