"""Rows of a listing: text that the index keeps ready, with single bytes as marks between the columns.

UTF-8 never has the bytes that are marks, so no key can hold one, and whoever writes a page exchanges each mark for
what its markup has there, in all rows at once. The mark that ends a key says how plain it is: a look for one byte in
the whole page shows whether any key needs more than that.

    key PLAIN|TEXT|ODD time ETAG etag SIZE size STANDARD
    key PLAIN|TEXT|ODD time ETAG etag ALGORITHM algorithm KIND kind CHECKED_SIZE size CLASS storage class END
    key PLAIN|TEXT|ODD time GONE                                                   (a delete marker)

Times are in whole seconds, `2026-11-21T10:00:00`. A key that is ODD stands as the index spells it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from functools import lru_cache

from catalog.index.keys import unescape
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
END = b"\xfe"
STANDARD = b"\xff"  # the storage class, and the end
GONE = b"\xc0"

_PLAIN_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.*/"
_odd = re.compile(rb'[\0-\x1f"&<>]|\xef\xbf[\xbe\xbf]').search
_marked = re.compile(b"[\xf5-\xf7]").search


@dataclass(slots=True)
class Page:
    """`next` is the last key or common prefix returned, fit to be the next page's `after`; "" at the end."""

    rows: list[bytes] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    truncated: bool = False
    next: str = ""

    @property
    def keys(self) -> list[str]:
        return [parted(row)[0] for row in self.rows]


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
    stamp = _stamp(version.modified // 1000)
    if version.delete_marker:
        return f"{mark}{stamp}\xc0".encode("latin-1")
    check, named = version.checksum, version.storage_class
    end = "\xff" if named == "STANDARD" else f"\xfd{named}\xfe"
    if check is None:
        return f"{mark}{stamp}\xf8{version.etag}\xf9{version.size}{end}".encode("latin-1")
    checksum = f"\xfa{check.algorithm}\xfb{check.kind}"
    return f"{mark}{stamp}\xf8{version.etag}{checksum}\xfc{version.size}{end}".encode("latin-1")


def parted(row: bytes) -> tuple[str, bytes]:
    """The key of a row, and what follows it."""
    mark = _marked(row)
    at = mark.start() if mark else len(row)
    return unescape(row[:at]), row[at:]


@lru_cache(maxsize=4096)
def _stamp(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
