"""Multipart uploads under way."""

from __future__ import annotations

from collections.abc import Collection

import duckdb
import msgspec

from catalog.database.columns import BYTES, MAP, TEXT, TIME, WHOLE, Row, insert, run_on_rows, schema
from catalog.records import Upload

COLUMNS = schema(
    bucket_id=WHOLE,
    key=TEXT,
    upload_id=TEXT,
    initiated=TIME,
    owner=TEXT,
    storage_class=TEXT,
    content_type=TEXT,
    checksum_algorithm=TEXT,
    checksum_type=TEXT,
    headers=MAP,
    user_metadata=MAP,
    object_tags=MAP,
    entry=BYTES,
)
_ID = schema(upload_id=TEXT)

_encode = msgspec.msgpack.Encoder().encode


def row(upload: Upload) -> Row:
    return (
        upload.bucket_id,
        upload.key,
        upload.upload_id,
        upload.initiated,
        upload.owner,
        upload.storage_class,
        upload.content_type,
        upload.checksum_algorithm or None,
        upload.checksum_kind or None,
        upload.headers or {},
        upload.metadata or {},
        upload.tags or {},
        _encode(upload),
    )


def add(connection: duckdb.DuckDBPyConnection, uploads: Collection[Upload]) -> None:
    insert(connection, "private.uploads", COLUMNS, [row(upload) for upload in uploads])


def remove(connection: duckdb.DuckDBPyConnection, upload_ids: Collection[str]) -> None:
    if upload_ids:
        statement = "DELETE FROM private.uploads WHERE upload_id IN (SELECT upload_id FROM incoming)"
        run_on_rows(connection, statement, _ID, [(upload_id,) for upload_id in upload_ids])


def remove_of_buckets(connection: duckdb.DuckDBPyConnection, bucket_ids: Collection[int]) -> None:
    if bucket_ids:
        connection.execute("DELETE FROM private.uploads WHERE bucket_id IN ?", [list(bucket_ids)])
