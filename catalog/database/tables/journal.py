"""Every mutation that can be seen, for good, with the columns of S3 Metadata's journal table and ours.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/metadata-tables-schema.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import duckdb

from catalog.database.columns import MAP, SHORT, TEXT, TIME, TRUTH, WHOLE, Row, insert, schema
from catalog.records import (
    BodyMoved,
    Bucket,
    BucketPut,
    BucketRemoved,
    LogRecord,
    ObjectChanged,
    Origin,
    PartPut,
    UploadAborted,
    UploadCreated,
    UserPut,
    UserRemoved,
    Version,
    VersionUpdated,
)

COLUMNS = schema(
    seq=WHOLE,
    operation=TEXT,
    record_type=TEXT,
    record_timestamp=TIME,
    requester=TEXT,
    source_ip_address=TEXT,
    request_id=TEXT,
    bucket_id=WHOLE,
    bucket=TEXT,
    key=TEXT,
    version_id=TEXT,
    version_seq=WHOLE,
    ended=WHOLE,
    previous=WHOLE,
    is_delete_marker=TRUTH,
    size=WHOLE,
    last_modified_date=TIME,
    e_tag=TEXT,
    storage_class=TEXT,
    is_multipart=TRUTH,
    checksum_algorithm=TEXT,
    object_tags=MAP,
    user_metadata=MAP,
    upload_id=TEXT,
    part_number=SHORT,
    user_id=TEXT,
)
_NOT_AN_OBJECTS = (None,) * 13  # the columns from version_id to user_metadata
_NOT_A_VERSIONS = (None,) * 9  # those from is_delete_marker to user_metadata
_NONE: dict[str, str] = {}

Names = dict[int, Bucket]


def add(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    insert(connection, "private.journal", COLUMNS, rows)


def reconcile(connection: duckdb.DuckDBPyConnection, kept: int, end: int, now: datetime) -> None:
    """Let it come to the versions there are, where of what lies between `kept` and `end` it has only the puts of those.

    What ended meanwhile, nobody knows when, ends at `end`.
    """
    connection.execute(_SAY_PREVIOUS, [kept])
    connection.execute(_END_THE_REST, [end, now, end])


def rows(seq: int, record: LogRecord, buckets: Names, previous: int | None) -> list[Row]:
    """A mutation's rows: one, and one more for each further version that it ended; none for a body that was moved.

    `buckets` is as of the mutation, `previous` is the newest version that remained of the key beside one that was put.
    """
    mutation = record.mutation
    if type(mutation) is ObjectChanged:
        return _object_changed(seq, record.time, record.origin, mutation, buckets, previous or None)
    return _ROWS[type(mutation)](seq, record.time, record.origin, mutation, buckets)


def _bucket_put(seq: int, time: int, origin: Origin, mutation: BucketPut, buckets: Names) -> list[Row]:
    bucket = mutation.bucket
    place = (bucket.id, bucket.name, None)
    return [(*_head(seq, "BucketPut", None, time, origin), *place, *_NOT_AN_OBJECTS, None, None, None)]


def _bucket_removed(seq: int, time: int, origin: Origin, mutation: BucketRemoved, buckets: Names) -> list[Row]:
    place = (mutation.bucket_id, mutation.name, None)
    return [(*_head(seq, "BucketRemoved", None, time, origin), *place, *_NOT_AN_OBJECTS, None, None, None)]


def _object_changed(
    seq: int, time: int, origin: Origin, mutation: ObjectChanged, buckets: Names, previous: int | None
) -> list[Row]:
    """A delete marker is a DELETE as AWS has it; a version that another one replaced has no record of its own."""
    put, removed = mutation.put, mutation.removed
    place = (mutation.bucket_id, buckets[mutation.bucket_id].name, mutation.key)
    rows: list[Row] = []
    if put is not None:
        operation, kind = ("DeleteMarkerPut", "DELETE") if put.delete_marker else ("ObjectPut", "CREATE")
        ended = removed[0].seq if removed else None
        upload = (mutation.upload_id, None, None)
        rows.append((*_head(seq, operation, kind, time, origin), *place, *_version(put, ended, previous), *upload))
        removed = removed[1:]
    for gone in removed:
        version = (gone.version_id, gone.seq, gone.seq, previous, *_NOT_A_VERSIONS)
        rows.append((*_head(seq, "VersionRemoved", "DELETE", time, origin), *place, *version, None, None, None))
    return rows


def _version_updated(seq: int, time: int, origin: Origin, mutation: VersionUpdated, buckets: Names) -> list[Row]:
    place = (mutation.bucket_id, buckets[mutation.bucket_id].name, mutation.key)
    head = _head(seq, "VersionUpdated", "UPDATE_METADATA", time, origin)
    return [(*head, *place, *_version(mutation.version, None, None), None, None, None)]


def _upload_created(seq: int, time: int, origin: Origin, mutation: UploadCreated, buckets: Names) -> list[Row]:
    upload = mutation.upload
    place = (upload.bucket_id, buckets[upload.bucket_id].name, upload.key)
    end = (upload.upload_id, None, None)
    return [(*_head(seq, "UploadCreated", None, time, origin), *place, *_NOT_AN_OBJECTS, *end)]


def _upload_aborted(seq: int, time: int, origin: Origin, mutation: UploadAborted, buckets: Names) -> list[Row]:
    place = (mutation.bucket_id, buckets[mutation.bucket_id].name, mutation.key)
    end = (mutation.upload_id, None, None)
    return [(*_head(seq, "UploadAborted", None, time, origin), *place, *_NOT_AN_OBJECTS, *end)]


def _part_put(seq: int, time: int, origin: Origin, mutation: PartPut, buckets: Names) -> list[Row]:
    part = mutation.part
    place = (mutation.bucket_id, buckets[mutation.bucket_id].name, mutation.key)
    algorithm = None if part.checksum is None else part.checksum.algorithm
    about = (None, None, None, None, None, part.size, part.modified, part.etag, None, None, algorithm, None, None)
    end = (mutation.upload_id, part.number, None)
    return [(*_head(seq, "PartPut", None, time, origin), *place, *about, *end)]


def _user(seq: int, time: int, origin: Origin, mutation: UserPut | UserRemoved, buckets: Names) -> list[Row]:
    head = _head(seq, type(mutation).__name__, None, time, origin)
    return [(*head, None, None, None, *_NOT_AN_OBJECTS, None, None, mutation.user.id)]


def _head(seq: int, operation: str, record_type: str | None, time: int, origin: Origin) -> Row:
    return seq, operation, record_type, time, origin.requester, origin.source_ip, origin.request_id


def _version(version: Version, ended: int | None, previous: int | None) -> Row:
    if version.delete_marker:
        return (version.version_id, version.seq, ended, previous, True, None, version.modified, *_NOT_A_VERSIONS[3:])
    return (
        version.version_id,
        version.seq,
        ended,
        previous,
        False,
        version.size,
        version.modified,
        version.etag,
        version.storage_class,
        version.parts is not None,
        None if version.checksum is None else version.checksum.algorithm,
        version.tags or _NONE,
        version.metadata or _NONE,
    )


_SAY_PREVIOUS = """
UPDATE private.journal SET previous = below.previous
FROM (
    SELECT seq, lag(seq) OVER (PARTITION BY bucket_id, key ORDER BY seq) AS previous FROM private.objects
) AS below
WHERE journal.seq = below.seq AND journal.seq > ? AND journal.version_seq = journal.seq
"""
_END_THE_REST = """
INSERT INTO private.journal BY NAME
SELECT
    ? AS seq,
    'VersionRemoved' AS operation,
    'DELETE' AS record_type,
    ? AS record_timestamp,
    '' AS requester,
    '' AS source_ip_address,
    '' AS request_id,
    gone.bucket_id,
    gone.bucket,
    gone.key,
    gone.version_id,
    gone.seq AS version_seq,
    gone.seq AS ended,
    newest.seq AS previous
FROM private.journal AS gone
ANTI JOIN private.objects AS held ON held.seq = gone.seq
ANTI JOIN private.journal AS ending ON ending.ended = gone.seq
LEFT JOIN (
    SELECT bucket_id, key, max(seq) AS seq FROM private.objects WHERE seq < ? GROUP BY bucket_id, key
) AS newest ON newest.bucket_id = gone.bucket_id AND newest.key = gone.key
WHERE gone.operation IN ('ObjectPut', 'DeleteMarkerPut')
"""

_ROWS: dict[type, Callable[[int, int, Origin, Any, Names], list[Row]]] = {
    BucketPut: _bucket_put,
    BucketRemoved: _bucket_removed,
    VersionUpdated: _version_updated,
    UploadCreated: _upload_created,
    UploadAborted: _upload_aborted,
    PartPut: _part_put,
    UserPut: _user,
    UserRemoved: _user,
    BodyMoved: lambda *_: [],  # nothing that anybody did
}
