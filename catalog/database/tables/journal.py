"""Every mutation that can be seen, for good, with the columns of S3 Metadata's journal table and ours.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/metadata-tables-schema.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from catalog.database.columns import (
    MAP,
    SHORT,
    TEXT,
    TIME,
    TRUTH,
    WHOLE,
    Row,
    Values,
    arrow,
    by_column,
    insert_table,
    schema,
)
from catalog.database.tables.objects import STATUS
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
    s3_operation=TEXT,
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
    encryption_status=TEXT,
    checksum_algorithm=TEXT,
    object_tags=MAP,
    user_metadata=MAP,
    upload_id=TEXT,
    part_number=SHORT,
    user_id=TEXT,
)
_NOT_AN_OBJECTS = (None,) * 14  # the columns from version_id to user_metadata
_NOT_A_VERSIONS = (None,) * 10  # those from is_delete_marker to user_metadata
_NONE: dict[str, str] = {}

Names = dict[int, Bucket]
Numbered = tuple[int, LogRecord]


def add(
    connection: duckdb.DuckDBPyConnection,
    records: Sequence[Numbered],
    previous: Sequence[int | None],
    buckets: Names,
    put: pa.Table,
) -> None:
    """A mutation has one row, and one more for each further version that it ended; none if it moved a body.

    `previous` is of each the newest version that remained of the key beside one that was put, `put` holds the versions
    that were put, in this order, as the table `objects` has them. `buckets` are those that the records name.
    """
    puts: list[tuple[LogRecord, ObjectChanged, int | None]] = []
    removals: list[Row] = []
    others: list[Row] = []
    for (seq, record), remains in zip(records, previous, strict=True):
        mutation = record.mutation
        if type(mutation) is not ObjectChanged:
            others += _ROWS[type(mutation)](seq, record.time, record.origin, mutation, buckets)
            continue
        removed = mutation.removed
        if mutation.put is not None:
            puts.append((record, mutation, remains or None))
            removed = removed[1:]
        removals += [(seq, record, mutation, gone.version_id, gone.seq, remains or None) for gone in removed]
    rows = [_puts(puts, buckets, put)] if puts else []
    rows += [_removals(removals, buckets)] if removals else []
    rows += [arrow(COLUMNS, others)] if others else []
    if rows:
        insert_table(connection, "private.journal", pa.concat_tables(rows))  # a statement for each would cost more


def reconcile(connection: duckdb.DuckDBPyConnection, kept: int, end: int, now: datetime) -> None:
    """Let it come to the versions there are, where of what lies between `kept` and `end` it has only the puts of those.

    What ended meanwhile, nobody knows when, ends at `end`.
    """
    connection.execute(_SAY_PREVIOUS, [kept])
    connection.execute(_END_THE_REST, [end, now, end])


def _puts(puts: Sequence[tuple[LogRecord, ObjectChanged, int | None]], buckets: Names, versions: pa.Table) -> pa.Table:
    """A delete marker is a DELETE as AWS has it; a version that another one replaced has no record of its own."""
    mutations = [mutation for _, mutation, _ in puts]
    markers = versions["is_delete_marker"]
    return _table(
        dict(zip(versions.column_names, versions.columns, strict=True))
        | _about([record for record, _, _ in puts], mutations, buckets)
        | {
            "operation": pc.if_else(markers, "DeleteMarkerPut", "ObjectPut"),
            "record_type": pc.if_else(markers, "DELETE", "CREATE"),
            "version_seq": versions["seq"],
            "ended": [mutation.removed[0].seq if mutation.removed else None for mutation in mutations],
            "previous": [previous for _, _, previous in puts],
            "last_modified_date": versions["last_modified"],
            "is_multipart": pc.if_else(markers, None, pc.is_valid(versions["parts_count"])),
            "upload_id": [mutation.upload_id for mutation in mutations],
        }
    )


def _removals(removals: Sequence[Row], buckets: Names) -> pa.Table:
    seqs, records, mutations, version_ids, version_seqs, previous = zip(*removals, strict=True)
    return _table(
        _about(records, mutations, buckets)
        | {
            "seq": seqs,
            "operation": ["VersionRemoved"] * len(seqs),
            "record_type": ["DELETE"] * len(seqs),
            "bucket_id": [mutation.bucket_id for mutation in mutations],
            "key": [mutation.key for mutation in mutations],
            "version_id": version_ids,
            "version_seq": version_seqs,
            "ended": version_seqs,
            "previous": previous,
        }
    )


def _table(values: Mapping[str, Values]) -> pa.Table:
    """Rows with no value in the columns that are not among `values`; what is no column is passed over."""
    count = len(values["seq"])
    lacking = {field.name: pa.nulls(count, field.type) for field in COLUMNS if field.name not in values}
    return by_column(COLUMNS, lacking | dict(values))


def _about(
    records: Sequence[LogRecord], mutations: Sequence[ObjectChanged], buckets: Names
) -> dict[str, Sequence[Any]]:
    """Who did it, when and in which bucket, column by column."""
    origins = [record.origin for record in records]
    return {
        "record_timestamp": [record.time for record in records],
        "requester": [origin.requester for origin in origins],
        "source_ip_address": [origin.source_ip for origin in origins],
        "request_id": [origin.request_id for origin in origins],
        "s3_operation": [origin.operation or None for origin in origins],
        "bucket": [buckets[mutation.bucket_id].name for mutation in mutations],
    }


def _bucket_put(seq: int, time: int, origin: Origin, mutation: BucketPut, buckets: Names) -> list[Row]:
    bucket = mutation.bucket
    place = (bucket.id, bucket.name, None)
    return [(*_head(seq, "BucketPut", None, time, origin), *place, *_NOT_AN_OBJECTS, None, None, None)]


def _bucket_removed(seq: int, time: int, origin: Origin, mutation: BucketRemoved, buckets: Names) -> list[Row]:
    place = (mutation.bucket_id, mutation.name, None)
    return [(*_head(seq, "BucketRemoved", None, time, origin), *place, *_NOT_AN_OBJECTS, None, None, None)]


def _version_updated(seq: int, time: int, origin: Origin, mutation: VersionUpdated, buckets: Names) -> list[Row]:
    place = (mutation.bucket_id, buckets[mutation.bucket_id].name, mutation.key)
    head = _head(seq, "VersionUpdated", "UPDATE_METADATA", time, origin)
    return [(*head, *place, *_version(mutation.version), None, None, None)]


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
    about = (None, None, None, None, None, part.size, part.modified, part.etag, *(None,) * 3, algorithm, None, None)
    end = (mutation.upload_id, part.number, None)
    return [(*_head(seq, "PartPut", None, time, origin), *place, *about, *end)]


def _user(seq: int, time: int, origin: Origin, mutation: UserPut | UserRemoved, buckets: Names) -> list[Row]:
    head = _head(seq, type(mutation).__name__, None, time, origin)
    return [(*head, None, None, None, *_NOT_AN_OBJECTS, None, None, mutation.user.id)]


def _head(seq: int, operation: str, record_type: str | None, time: int, origin: Origin) -> Row:
    asked = (origin.requester, origin.source_ip, origin.request_id, origin.operation or None)
    return seq, operation, record_type, time, *asked


def _version(version: Version) -> Row:
    if version.delete_marker:
        return (version.version_id, version.seq, None, None, True, None, version.modified, *_NOT_A_VERSIONS[3:])
    return (
        version.version_id,
        version.seq,
        None,
        None,
        False,
        version.size,
        version.modified,
        version.etag,
        version.storage_class,
        version.parts is not None,
        version.encryption and STATUS[version.encryption.kind],
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
