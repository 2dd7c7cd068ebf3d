"""Numbers by which the rows that name a body are found, without a look into what they keep of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb
import msgspec
from duckdb.func import SPECIAL

from catalog.records import Part, Piece, Version

SEVERAL = 0  # of an object with more than one part in the log: its record says where

_decode_version: Callable[[bytes], Version] = msgspec.msgpack.Decoder(Version).decode
_decode_part: Callable[[bytes], Part] = msgspec.msgpack.Decoder(Part).decode


def of_body(body: Piece) -> int:
    """Of a body in the log its place; of a blob the first bytes of its name, which another may have too."""
    if body.blob is None:
        return body.segment << 32 | body.offset
    return int.from_bytes(body.blob[:8], signed=True)


def of_parts(version: Version) -> int | None:
    """The place of the one part that lies in the log: S3 lets the last alone be small. None where none does."""
    parts = version.parts if isinstance(version.parts, list) else []
    found = [of_body(part.piece) for part in parts if part.piece is not None and part.piece.segment]
    return None if not found else found[0] if len(found) == 1 else SEVERAL


def of_version(version: Version) -> int | None:
    return of_parts(version) if version.body is None else of_body(version.body)


def of_part(part: Part) -> int | None:
    return None if part.piece is None else of_body(part.piece)


@contextmanager
def known_to(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """SQL has `place_of_version` and `place_of_part` meanwhile: numbers of what a row keeps as `entry`."""
    functions: dict[str, Callable[[bytes], int | None]] = {
        "place_of_version": lambda entry: of_version(_decode_version(entry)),
        "place_of_part": lambda entry: of_part(_decode_part(entry)),
    }
    for name, function in functions.items():
        connection.create_function(name, function, ["BLOB"], "BIGINT", null_handling=SPECIAL)
    try:
        yield
    finally:
        for name in functions:
            connection.remove_function(name)
