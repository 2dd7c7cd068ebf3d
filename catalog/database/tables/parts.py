"""Parts of uploads under way; those of completed objects stand in the objects' entries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import duckdb
import msgspec

from catalog.database import places
from catalog.database.columns import BYTES, SHORT, TEXT, TIME, WHOLE, Row, insert, run_on_rows, schema
from catalog.records import BodyMoved, Part, PartPut
from catalog.relocation import relocated_part

COLUMNS = schema(
    bucket_id=WHOLE,
    key=TEXT,
    upload_id=TEXT,
    part_number=SHORT,
    size=WHOLE,
    last_modified=TIME,
    e_tag=TEXT,
    checksum_algorithm=TEXT,
    checksum_value=TEXT,
    entry=BYTES,
    body=WHOLE,
)
_ID = schema(upload_id=TEXT)
_PART = schema(upload_id=TEXT, part_number=SHORT)
_BODY = schema(upload_id=TEXT, part_number=SHORT, entry=BYTES, body=WHOLE)
_NAMED = "WHERE (upload_id, part_number) IN (SELECT upload_id, part_number FROM incoming)"

_encode = msgspec.msgpack.Encoder().encode
_decode: Callable[[bytes], Part] = msgspec.msgpack.Decoder(Part).decode

PartKey = tuple[str, int]  # upload id and part number


def row(put: PartPut) -> Row:
    part: Part = put.part
    return (
        put.bucket_id,
        put.key,
        put.upload_id,
        part.number,
        part.size,
        part.modified,
        part.etag,
        None if part.checksum is None else part.checksum.algorithm,
        None if part.checksum is None else part.checksum.value,
        _encode(part),
        places.of_part(part),
    )


def add(connection: duckdb.DuckDBPyConnection, puts: Mapping[PartKey, PartPut], replacing: Collection[PartKey]) -> None:
    """`replacing` are those of which there may be an earlier part of the same number."""
    if replacing:
        run_on_rows(connection, f"DELETE FROM private.parts {_NAMED}", _PART, list(replacing))
    insert(connection, "private.parts", COLUMNS, [row(put) for put in puts.values()])


def move_bodies(connection: duckdb.DuckDBPyConnection, moves: Mapping[PartKey, Sequence[BodyMoved]]) -> None:
    """The entries of these parts name the new places of bodies; parts of uploads that ended are passed over."""
    if not moves:
        return
    found = f"SELECT upload_id, part_number, entry FROM private.parts {_NAMED}"
    rows = []
    for upload_id, number, entry in run_on_rows(connection, found, _PART, list(moves)):
        part = _decode(entry)
        for move in moves[upload_id, number]:
            part = relocated_part(part, move)
        rows.append((upload_id, number, _encode(part), places.of_part(part)))
    if rows:
        statement = (
            "UPDATE private.parts SET entry = incoming.entry, body = incoming.body FROM incoming"
            " WHERE parts.upload_id = incoming.upload_id AND parts.part_number = incoming.part_number"
        )
        run_on_rows(connection, statement, _BODY, rows)


def remove_of_uploads(connection: duckdb.DuckDBPyConnection, upload_ids: Collection[str]) -> None:
    if upload_ids:
        statement = "DELETE FROM private.parts WHERE upload_id IN (SELECT upload_id FROM incoming)"
        run_on_rows(connection, statement, _ID, [(upload_id,) for upload_id in upload_ids])


def remove_of_buckets(connection: duckdb.DuckDBPyConnection, bucket_ids: Collection[int]) -> None:
    if bucket_ids:
        connection.execute("DELETE FROM private.parts WHERE bucket_id IN ?", [list(bucket_ids)])
