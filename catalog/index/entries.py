"""What the index holds of a version: the length of its row, the row (`catalog.rows`), the version as MessagePack."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from catalog import rows
from catalog.index import encode
from catalog.records import Named, Version

decode_version: Callable[[bytes], Version] = msgspec.msgpack.Decoder(Version).decode
_decode_named: Callable[[bytes], Named] = msgspec.msgpack.Decoder(Named).decode

_LENGTHS = [bytes((length,)) for length in range(256)]


def to_entry(key: bytes, version: Version, encoded: bytes | None = None) -> bytes:
    """`encoded` is the version as MessagePack, if that is at hand."""
    row = rows.row_of(key, version)
    return b"".join((_LENGTHS[len(row) + 1], row, encode(version) if encoded is None else encoded))


def version_of(entry: bytes) -> Version:
    return decode_version(entry[entry[0] :])


def named(entry: bytes) -> Named:
    return _decode_named(entry[entry[0] :])


def row_of(entry: bytes) -> bytes:
    """The version's row, without the key."""
    return entry[1 : entry[0]]
