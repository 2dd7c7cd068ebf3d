"""The rows of a listing as XML: the catalog keeps them ready but for the tags, which take the place of its marks.

A page of a thousand objects is some calls on all of its bytes, and none for a single row or key.
"""

from __future__ import annotations

from urllib.parse import quote_plus

from catalog.rows import (
    ALGORITHM,
    CHECKED_SIZE,
    CLASS,
    ETAG,
    GONE,
    KIND,
    ODD,
    PLAIN,
    ROW,
    SIZE,
    TEXT,
    ListedVersion,
)
from gateway.s3.model import operations
from gateway.s3.xml import escape

Tags = list[tuple[bytes, bytes]]

FRACTION = b".000Z"  # S3 shows times with one, of whole seconds


def object_rows(rows: bytes, url: bool, owner: str | None) -> bytes:
    """A page's Contents elements, with the owner in each if it is given."""
    if not rows:
        return rows
    if ODD in rows or (url and TEXT in rows):
        rows = ROW.join([_with_text(row, url) for row in rows.split(ROW)])
    rows = b"%b%b%b" % (_OBJECT_START, rows, _OBJECT_END)
    storage_class = _CLASS if owner is None else _owned(_OBJECT_OWNER, owner)
    return _exchanged(rows, [*_OBJECT_TAGS, (CLASS, storage_class)])


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
        if not item.delete_marker:
            pieces.append(_VERSION_END)
    tags = [*_VERSION_TAGS, (CLASS, _owned(_VERSION_OWNER, owner)), (GONE, _owned(_MARKER_OWNER, owner))]
    return _exchanged(b"".join(pieces), tags)


def key_text(key: str, url: bool) -> str:
    """A key as encoding-type wants it, fit to stand in an element."""
    return form_encoded(key) if url else escape(key)


def form_encoded(text: str) -> str:
    """As S3 does it: like a form, a space is a plus; but slashes stay."""
    return quote_plus(text, safe="/*").replace("~", "%7E")


def _with_text(row: bytes, url: bool) -> bytes:
    """The row with a key that can be left as it is."""
    for mark in (ODD, TEXT) if url else (ODD,):
        key, found, rest = row.partition(mark)
        if found:
            return key_text(key.decode(), url).encode() + PLAIN + rest
    return row


def _exchanged(rows: bytes, tags: Tags) -> bytes:
    for mark, tag in tags:
        rows = rows.replace(mark, tag)
    return rows


def _owned(around: list[bytes], owner: str) -> bytes:
    return escape(owner).encode().join(around)


def _tags(listing: str, member: str, *columns: str) -> list[bytes]:
    """What stands before, between and behind these columns of a row."""
    return operations[listing].row_template(member, *columns).encode().split(b"%s")


def _column_tags(listing: str, member: str) -> Tags:
    """Of the columns that rows of objects and of versions share."""
    etag, size = _tags(listing, member, "last_modified", "etag", "size")[1:3]
    checksum = _tags(listing, member, "etag", "checksum_algorithm", "checksum_type", "size")[1:4]
    return [(ETAG, FRACTION + etag), (SIZE, size), *zip((ALGORITHM, KIND, CHECKED_SIZE), checksum, strict=True)]


_OBJECT = "ListObjectsV2", "contents"
_OBJECT_START, _BEFORE_TIME, _ = _tags(*_OBJECT, "key", "last_modified")
_CLASS, _OBJECT_END = _tags(*_OBJECT, "size", "storage_class")[1:]
_OBJECT_OWNER = _tags(*_OBJECT, "size", "owner.id", "storage_class")[1:3]
_OBJECT_TAGS = [
    (PLAIN, _BEFORE_TIME),
    (TEXT, _BEFORE_TIME),
    *_column_tags(*_OBJECT),
    (ROW, _OBJECT_END + _OBJECT_START),
]

_VERSION, _MARKER = ("ListObjectVersions", "versions"), ("ListObjectVersions", "delete_markers")
_HEAD = "key", "version_id", "is_latest", "last_modified"
_VERSION_HEAD = [tag.decode() for tag in _tags(*_VERSION, *_HEAD)[:-1]]
_MARKER_HEAD = [tag.decode() for tag in _tags(*_MARKER, *_HEAD)[:-1]]
_VERSION_TAGS = _column_tags(*_VERSION)
_VERSION_OWNER = _tags(*_VERSION, "size", "owner.id", "storage_class")[1:3]
_VERSION_END = _tags(*_VERSION, "storage_class")[1]
_TIME_END, _ROW_END = _tags(*_MARKER, "last_modified", "owner.id")[1:]
_MARKER_OWNER = [FRACTION + _TIME_END, _ROW_END]
