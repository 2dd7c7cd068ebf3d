"""Rows of a listing: text that the index keeps ready, with single bytes as marks between the columns.

UTF-8 never has the bytes that are marks, so no key can hold one, and whoever writes a page exchanges each mark for
what its markup has there, in all rows at once. The mark that ends a key says how plain it is: a look for one byte in
the whole page shows whether any key needs more than that.

    key PLAIN|TEXT|ODD time ETAG etag SIZE size CLASS class
    key PLAIN|TEXT|ODD time ETAG etag ALGORITHM algorithm KIND kind CHECKED_SIZE size CLASS class
    key PLAIN|TEXT|ODD time GONE                                                     (a delete marker)

Times are in whole seconds, `2026-11-21T10:00:00`.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from functools import lru_cache

from catalog.records import Version

PLAIN = b"\xf5"  # letters, digits and -_.*/ only
TEXT = b"\xf6"  # no control character, none of "&<>, no U+FFFE or U+FFFF
ODD = b"\xf7"
ETAG = b"\xf8"
SIZE = b"\xf9"
ALGORITHM = b"\xfa"
KIND = b"\xfb"
CHECKED_SIZE = b"\xfc"
CLASS = b"\xfd"
GONE = b"\xfe"
ROW = b"\xff"  # between rows

_PLAIN_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.*/"
_odd = re.compile(rb'[\0-\x1f"&<>]|\xef\xbf[\xbe\xbf]').search
_key = re.compile(rb"[^\xf5-\xf7]*").match


@dataclass(slots=True)
class Page:
    """`count` of `rows`. `next` is the last key or common prefix returned, fit to be the next page's `after`."""

    rows: bytes = b""
    count: int = 0
    prefixes: list[str] = field(default_factory=list)
    truncated: bool = False
    next: str = ""

    @property
    def keys(self) -> list[str]:
        return [key_of(row).decode() for row in self.rows.split(ROW)] if self.rows else []


@dataclass(slots=True)
class ListedVersion:
    """`row` is a row without its key."""

    key: str
    seq: int
    version_id: str
    latest: bool
    row: bytes

    @property
    def delete_marker(self) -> bool:
        return self.row.endswith(GONE)


@dataclass(slots=True)
class VersionPage:
    """`next_version` is "" behind a common prefix."""

    items: list[ListedVersion] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    truncated: bool = False
    next_key: str = ""
    next_version: str = ""


def row_of(key: bytes, version: Version) -> bytes:
    """A version's row, without the key."""
    mark = "\xf5" if not key.translate(None, _PLAIN_BYTES) else "\xf7" if _odd(key) else "\xf6"
    stamp, check = _stamp(version.modified // 1000), version.checksum
    if version.delete_marker:
        row = f"{mark}{stamp}\xfe"
    elif check is None:
        row = f"{mark}{stamp}\xf8{version.etag}\xf9{version.size}\xfd{version.storage_class}"
    else:
        row = (
            f"{mark}{stamp}\xf8{version.etag}\xfa{check.algorithm}\xfb{check.kind}"
            f"\xfc{version.size}\xfd{version.storage_class}"
        )
    return row.encode("latin-1")


def key_of(row: bytes) -> bytes:
    found = _key(row)
    return found[0] if found else row


@lru_cache(maxsize=4096)
def _stamp(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
