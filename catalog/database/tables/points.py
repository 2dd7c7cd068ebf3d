"""Names for points in a bucket's history."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from catalog.database.columns import TEXT, WHOLE, Row, insert, schema
from catalog.database.transaction import transaction
from catalog.errors import QueryFailed, QueryRefused

COLUMNS = schema(bucket_id=WHOLE, name=TEXT, seq=WHOLE, created=pa.timestamp("us"))
LATEST = "latest"
_NAME = re.compile(r"[A-Za-z][\w.-]{0,127}", re.ASCII)


def every(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Bucket id, name, sequence number and when it was named; of buckets that are gone, too."""
    return connection.execute("FROM private.points ORDER BY bucket_id, name").fetchall()


def replace(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    """These are all there are, from now on."""
    connection.execute("DELETE FROM private.points")
    insert(connection, "private.points", COLUMNS, rows)


def put(connection: duckdb.DuckDBPyConnection, bucket: str, name: str, seq: int) -> None:
    """Give the name to the state behind a mutation, whatever had it before. Raises QueryRefused and QueryFailed."""
    if not _NAME.fullmatch(name) or name == LATEST:
        raise QueryRefused(f"a point's name is 1 to 128 letters, digits and ._- with a letter first, and not {LATEST}")
    try:
        with transaction(connection):
            found = connection.execute("SELECT id FROM private.buckets WHERE name = ?", [bucket]).fetchone()
            if found is None:
                raise QueryRefused(f"there is no bucket {bucket}")
            connection.execute("DELETE FROM private.points WHERE bucket_id = ? AND name = ?", [found[0], name])
            now = datetime.now(UTC).replace(tzinfo=None)
            connection.execute("INSERT INTO private.points VALUES (?, ?, ?, ?)", [found[0], name, seq, now])
    except duckdb.Error as problem:
        raise QueryFailed(str(problem)) from None
