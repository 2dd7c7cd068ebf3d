"""Parts of uploads under way; those of completed objects stand in the objects' entries."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb
import msgspec

from catalog.database.columns import BYTES, SHORT, TEXT, TIME, WHOLE, Row, insert, run_on_rows, schema
from catalog.records import Part, PartPut

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
)
_ID = schema(upload_id=TEXT)
_PART = schema(upload_id=TEXT, part_number=SHORT)

_encode = msgspec.msgpack.Encoder().encode

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
    )


def add(connection: duckdb.DuckDBPyConnection, puts: Mapping[PartKey, PartPut], replacing: Collection[PartKey]) -> None:
    """`replacing` are those of which there may be an earlier part of the same number."""
    if replacing:
        statement = (
            "DELETE FROM private.parts WHERE (upload_id, part_number) IN (SELECT upload_id, part_number FROM incoming)"
        )
        run_on_rows(connection, statement, _PART, list(replacing))
    insert(connection, "private.parts", COLUMNS, [row(put) for put in puts.values()])


def remove_of_uploads(connection: duckdb.DuckDBPyConnection, upload_ids: Collection[str]) -> None:
    if upload_ids:
        statement = "DELETE FROM private.parts WHERE upload_id IN (SELECT upload_id FROM incoming)"
        run_on_rows(connection, statement, _ID, [(upload_id,) for upload_id in upload_ids])


def remove_of_buckets(connection: duckdb.DuckDBPyConnection, bucket_ids: Collection[int]) -> None:
    if bucket_ids:
        connection.execute("DELETE FROM private.parts WHERE bucket_id IN ?", [list(bucket_ids)])
