"""Who names a body: a column says it, but for blobs of objects in parts. Their names are in the records alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import duckdb
import msgspec

from catalog.database import places
from catalog.database.columns import WHOLE, run_on_rows, schema
from catalog.database.frames import Holders
from catalog.database.source import Source
from catalog.holders import PartSuspect, Suspect
from catalog.records import Part, Piece, Version, VersionHolder

# As one condition, with OR, DuckDB would read all records there are.
_VERSIONS = """
SELECT seq, entry FROM private.objects WHERE body = $number
UNION ALL
SELECT seq, entry FROM private.objects
WHERE parts_count IS NOT NULL AND body IS DISTINCT FROM $number AND contains(hex(entry), $name)
ORDER BY seq
"""
_PARTS = "SELECT upload_id, part_number, entry FROM private.parts WHERE body = $number"
_WITH_PARTS = "SELECT entry FROM private.objects WHERE parts_count IS NOT NULL"
_IN_SEGMENT = "WHERE body >= $first AND body < $behind"
_BODY = schema(body=WHOLE)

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
    number = places.of_body(body)
    versions = []
    for seq, entry in places.rows_of(connection.execute(_VERSIONS, {"number": number, "name": name})):
        numbers = [number for number, piece in _pieces(_decode(entry)) if _is(piece, body)]
        versions += [(seq, numbers[0])] if numbers else []
    parts = [
        (upload_id, part)
        for upload_id, part, entry in places.rows_of(connection.execute(_PARTS, {"number": number}))
        if _is(_decode_part(entry).piece, body)
    ]
    return Holders(versions, parts)


def named(connection: duckdb.DuckDBPyConnection, blobs: Iterable[bytes]) -> list[bytes]:
    """Those of the blobs that the record of any version or part names, whatever the key index says.

    Reads the records of all that is in parts.
    """
    sought, found = set(blobs), set[bytes]()
    numbers = [(places.of_body(Piece(0, blob=blob)),) for blob in sought]
    with_body = "SELECT entry FROM private.{} SEMI JOIN incoming USING (body)"
    for (entry,) in run_on_rows(connection, with_body.format("parts"), _BODY, numbers):
        found |= _blobs([_decode_part(entry).piece])
    versions = run_on_rows(connection, with_body.format("objects"), _BODY, numbers)
    for (entry,) in chain(versions, places.rows_of(connection.execute(_WITH_PARTS))):
        found |= _blobs(piece for _, piece in _pieces(_decode(entry)))
    return list(sought & found)


def in_segment(connection: duckdb.DuckDBPyConnection, segment: int) -> list[Suspect]:
    """Who names a body there, and maybe some others."""
    bounds = {"first": segment << 32, "behind": segment + 1 << 32}
    versions = f"SELECT bucket_id, key, seq FROM private.objects {_IN_SEGMENT} OR body = {places.SEVERAL}"
    parts = f"SELECT bucket_id, key, upload_id, part_number FROM private.parts {_IN_SEGMENT}"
    return [
        *(VersionHolder(*row) for row in connection.execute(versions, bounds).fetchall()),
        *(PartSuspect(*row) for row in connection.execute(parts, bounds).fetchall()),
    ]


def _pieces(version: Version) -> Iterator[tuple[int, Piece | None]]:
    """Each with the number of its part, 0 for the body of a version that has no parts."""
    yield 0, version.body
    for part in version.parts if isinstance(version.parts, list) else ():
        yield part.number, part.piece


def _blobs(pieces: Iterable[Piece | None]) -> set[bytes]:
    return {piece.blob for piece in pieces if piece is not None and piece.blob is not None}


def _is(piece: Piece | None, body: Piece) -> bool:
    return piece is not None and (piece.blob, piece.segment, piece.offset) == (body.blob, body.segment, body.offset)
