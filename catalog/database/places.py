"""Numbers by which the rows that name a body are found, without a look into what they keep of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import duckdb
import msgspec
import pyarrow as pa

from catalog.database.columns import SHORT, TEXT, WHOLE, Row, run_on_rows, schema
from catalog.records import Part, Piece, Version

_BATCH = 10_000
_WINDOW = 250_000  # sequence numbers
_VERSIONS = """
SELECT seq, entry FROM private.objects
WHERE seq > $after AND seq <= $last AND body IS NULL AND NOT is_delete_marker
"""
_VERSION = schema(seq=WHOLE, body=WHOLE)
_PART = schema(upload_id=TEXT, part_number=SHORT, body=WHOLE)

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


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    """Give rows of before the numbers that they lack; so many at a time that they need little memory."""
    ((last,),) = connection.execute("SELECT coalesce(max(seq), 0) FROM private.objects").fetchall()
    for first in range(0, last, _WINDOW):
        found = connection.execute(_VERSIONS, {"after": first, "last": first + _WINDOW})
        versions = [(seq, of_version(_decode_version(entry))) for seq, entry in rows_of(found)]
        _fill(connection, "objects", _VERSION, versions)
    found = connection.execute("SELECT upload_id, part_number, entry FROM private.parts")
    parts = [(upload_id, number, of_part(_decode_part(entry))) for upload_id, number, entry in rows_of(found)]
    _fill(connection, "parts", _PART, parts)


def rows_of(found: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    """Some at a time."""
    while rows := found.fetchmany(_BATCH):
        yield from rows


def _fill(connection: duckdb.DuckDBPyConnection, table: str, columns: pa.Schema, rows: list[Row]) -> None:
    named = [row for row in rows if row[-1] is not None]
    if named:
        same = " AND ".join(f"{table}.{name} = incoming.{name}" for name in columns.names[:-1])
        run_on_rows(
            connection, f"UPDATE private.{table} SET body = incoming.body FROM incoming WHERE {same}", columns, named
        )
