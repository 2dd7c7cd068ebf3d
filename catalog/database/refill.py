"""Makes the tables of what the key index holds, where the log no longer has all that they lack.

The index knows every bucket, user, upload and version there is. What it does not know is history: what ended already,
and who asked for what. The journal keeps what it has, and gets a record for each further version that still is. Usage
keeps its days; what it differs from what there is, counts as of today.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from catalog.database import kept as kept_files
from catalog.database.tables import applied, buckets, journal, objects, parts, uploads, usage, users
from catalog.database.transaction import transaction
from catalog.index.contents import Contents, Held
from catalog.records import LogRecord, ObjectChanged, Origin, PartPut

_TABLES = ("objects", "uploads", "parts", "buckets", "users")
_NOBODY = Origin()


def refill(connection: duckdb.DuckDBPyConnection, catalog_id: bytes, contents: Contents) -> int:
    """In one transaction; up to which sequence number the journal has everything."""
    kept = applied.position(connection).seq
    now = datetime.now(UTC).replace(tzinfo=None)
    with transaction(connection):
        for table in _TABLES:
            connection.execute(f"DELETE FROM private.{table}")
        _write_the_rest(connection, contents)
        for batch in contents.versions():
            _write_versions(connection, contents, batch, kept)
        _put_in_order(connection)
        journal.reconcile(connection, kept, contents.position().seq, now)
        usage.restore(connection, kept_files.days(connection, catalog_id))
        usage.recount(connection, now.date())
        applied.begin(connection, catalog_id, contents.position())
    return kept


def _write_the_rest(connection: duckdb.DuckDBPyConnection, contents: Contents) -> None:
    buckets.replace(connection, {bucket.id: bucket for bucket in contents.buckets()})
    users.replace(connection, {user.access_key: user for user in contents.users()})
    held = contents.uploads()
    uploads.add(connection, [upload for upload, _ in held])
    puts = {
        (upload.upload_id, part.number): PartPut(upload.bucket_id, upload.key, upload.upload_id, part)
        for upload, of_upload in held
        for part in of_upload
    }
    parts.add(connection, puts, ())


def _write_versions(connection: duckdb.DuckDBPyConnection, contents: Contents, batch: list[Held], kept: int) -> None:
    known = {bucket.id: bucket for bucket in contents.buckets()}
    rows = table_of(batch)
    objects.add(connection, rows)
    lacking = [held for held in batch if held[2].seq > kept]
    records = [
        (
            version.seq,
            LogRecord(version.modified, _NOBODY, ObjectChanged(bucket_id, key, version, [], version.upload_id)),
        )
        for bucket_id, key, version, _ in lacking
    ]
    journal.add(connection, records, [None] * len(records), known, table_of(lacking))


def table_of(held: Sequence[Held]) -> pa.Table:
    """As rows of `objects`."""
    return objects.table(
        [bucket_id for bucket_id, *_ in held],
        [key for _, key, *_ in held],
        [version for *_, version, _ in held],
        [is_latest for *_, is_latest in held],
    )


def _put_in_order(connection: duckdb.DuckDBPyConnection) -> None:
    """By sequence number, as the applier leaves them: zone maps find a version by it."""
    for table in ("objects", "journal"):
        connection.execute(f"CREATE TEMP TABLE ordered AS FROM private.{table} ORDER BY seq")
        connection.execute(f"DELETE FROM private.{table}")
        connection.execute(f"INSERT INTO private.{table} FROM ordered ORDER BY seq")
        connection.execute("DROP TABLE ordered")
