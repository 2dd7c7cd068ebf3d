"""How keys are spelled in the index, so that its order is S3's (the order of the UTF-8 bytes) at any length.

LMDB's keys end at 511 bytes, S3's at 1,024. A key lives in a space: its bucket's, or, past CHUNK bytes, the child space
that stands for (space, first CHUNK bytes), and so on. NUL is escaped, so that two NULs end a key where more follows.
"""

from __future__ import annotations

import os
import struct
import time

CHUNK = 480
END = b"\0\0"
FIRST_CHILD_SPACE = 1 << 40  # spaces below are bucket ids

_U64 = struct.Struct(">Q")
_MAX = (1 << 64) - 1


def escape(key: str) -> bytes:
    # A number is looked for at a sixth of what it costs to look for bytes.
    raw = key.encode()
    return raw.replace(b"\0", b"\0\1") if 0 in raw else raw


def escaped(raw: bytes) -> bytes:
    return raw.replace(b"\0", b"\0\1") if 0 in raw else raw


def unescape(raw: bytes) -> str:
    return (raw.replace(b"\0\1", b"\0") if 0 in raw else raw).decode()


def space_of(number: int) -> bytes:
    return _U64.pack(number)


def place_of(bucket_id: int, raw: bytes) -> bytes:
    """Where an escaped key of up to CHUNK bytes stands."""
    return _U64.pack(bucket_id) + raw


def newest_first(seq: int) -> bytes:
    """A suffix that sorts the versions of one key from the newest to the oldest."""
    return _U64.pack(_MAX - seq)


def seq_of_suffix(suffix: bytes) -> int:
    return _MAX - int.from_bytes(suffix, "big")


def behind_all(prefix: bytes) -> bytes:
    """The smallest bytes that sort behind everything that begins with `prefix`, which is not empty UTF-8."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))


def new_version_id(seq: int) -> str:
    """Opaque to clients; to the index it says where the version stands."""
    return (_U64.pack(seq) + os.urandom(8)).hex()


def seq_of_version_id(version_id: str) -> int | None:
    """None for what `new_version_id` cannot have made."""
    if len(version_id) != 32 or not version_id.isascii():
        return None
    try:
        return int(version_id[:16], 16) if int(version_id[16:], 16) >= 0 else None
    except ValueError:
        return None


def new_upload_id() -> str:
    """Ids of one key sort by the time they were made, as ListMultipartUploads must."""
    return ((time.time_ns() // 1000).to_bytes(7, "big") + os.urandom(9)).hex()


def upload_bytes(upload_id: str) -> bytes | None:
    try:
        raw = bytes.fromhex(upload_id)
    except ValueError:
        return None
    return raw if len(raw) == 16 and upload_id == raw.hex() else None
