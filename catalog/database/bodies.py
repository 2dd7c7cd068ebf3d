"""Who names a body. A column says it where a version has one alone; of what is in parts the records hold the names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import duckdb
import msgspec

from catalog.database.columns import Row
from catalog.database.frames import Holders
from catalog.database.source import Source
from catalog.database.tables.objects import body_number
from catalog.records import Part, Piece, Version

_BATCH = 10_000
_VERSIONS = """
SELECT seq, entry FROM private.objects WHERE body = $number
UNION ALL
SELECT seq, entry FROM private.objects WHERE body IS NULL AND contains(hex(entry), $name)
ORDER BY seq
"""
_PARTS = "SELECT upload_id, part_number, entry FROM private.parts WHERE contains(hex(entry), $name)"
_ENTRIES = "SELECT entry FROM private.{} WHERE contains(hex(entry), 'C410')"  # MessagePack's mark of sixteen bytes

_encode = msgspec.msgpack.Encoder().encode
_decode: Callable[[bytes], Version] = msgspec.msgpack.Decoder(Version).decode
_decode_part: Callable[[bytes], Part] = msgspec.msgpack.Decoder(Part).decode


def holders(connection: duckdb.DuckDBPyConnection, source: Source, body: Piece) -> Holders:
    """Of a blob, or of a body that begins at a place in the log; its size need not be known.

    Reads the records of all that is in parts, but for a blob that nobody names.
    """
    if body.blob is not None and not source.names(body.blob):
        return Holders([], [])
    name = (body.blob if body.blob is not None else _encode(body.segment) + _encode(body.offset)).hex().upper()
    versions = []
    for seq, entry in _rows(connection.execute(_VERSIONS, {"number": body_number(body), "name": name})):
        numbers = [number for number, piece in _pieces(_decode(entry)) if _is(piece, body)]
        versions += [(seq, numbers[0])] if numbers else []
    parts = [
        (upload_id, number)
        for upload_id, number, entry in _rows(connection.execute(_PARTS, {"name": name}))
        if _is(_decode_part(entry).piece, body)
    ]
    return Holders(versions, parts)


def named(connection: duckdb.DuckDBPyConnection, blobs: Iterable[bytes]) -> list[bytes]:
    """Those of the blobs that the record of any version or part names, whatever the key index says.

    Reads every record there is.
    """
    sought, found = set(blobs), set[bytes]()
    for (entry,) in _rows(connection.execute(_ENTRIES.format("objects"))):
        found |= sought.intersection(piece.blob for _, piece in _pieces(_decode(entry)) if piece and piece.blob)
    for (entry,) in _rows(connection.execute(_ENTRIES.format("parts"))):
        found |= sought.intersection([piece.blob] if (piece := _decode_part(entry).piece) and piece.blob else [])
    return list(found)


def _rows(found: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    while rows := found.fetchmany(_BATCH):
        yield from rows


def _pieces(version: Version) -> Iterator[tuple[int, Piece | None]]:
    """Each with the number of its part, 0 for the body of a version that has no parts."""
    yield 0, version.body
    for part in version.parts if isinstance(version.parts, list) else ():
        yield part.number, part.piece


def _is(piece: Piece | None, body: Piece) -> bool:
    return piece is not None and (piece.blob, piece.segment, piece.offset) == (body.blob, body.segment, body.offset)
