"""Buckets as they are now; the id of one that was removed is never given again."""

from __future__ import annotations

from collections.abc import Collection

import duckdb
import msgspec

from catalog import lifecycle, notifications
from catalog.database.columns import BYTES, MAP, TEXT, TIME, WHOLE, Row, insert, schema
from catalog.records import Bucket

COLUMNS = schema(
    id=WHOLE,
    name=TEXT,
    owner=TEXT,
    created=TIME,
    region=TEXT,
    versioning=TEXT,
    tags=MAP,
    entry=BYTES,
    lifecycle=TEXT,
    notification=TEXT,
)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Bucket).decode


def row(bucket: Bucket) -> Row:
    settings = bucket.settings or {}
    return (
        bucket.id,
        bucket.name,
        bucket.owner,
        bucket.created,
        bucket.region,
        bucket.versioning,
        bucket.tags or {},
        _encode(bucket),
        settings.get(lifecycle.SETTING) or None,
        settings.get(notifications.SETTING) or None,
    )


def find(connection: duckdb.DuckDBPyConnection, ids: Collection[int]) -> dict[int, Bucket]:
    found = connection.execute("SELECT entry FROM private.buckets WHERE id IN ?", [list(ids)]).fetchall()
    return {bucket.id: bucket for bucket in (_decode(entry) for (entry,) in found)}


def replace(connection: duckdb.DuckDBPyConnection, changed: dict[int, Bucket | None]) -> None:
    """Each id's bucket as it is from now on; None where it was removed."""
    if changed:
        connection.execute("DELETE FROM private.buckets WHERE id IN ?", [list(changed)])
    insert(connection, "private.buckets", COLUMNS, [row(bucket) for bucket in changed.values() if bucket is not None])
