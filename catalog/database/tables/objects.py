"""Every version of every object, delete markers among them, each identified by the `seq` of the mutation that made it.

`is_latest` is stored, not computed: a window over all keys costs a view seconds at ten million rows, while the
applier knows from the mutation which row gains or loses the flag, and finds it by `seq` through the zone maps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from catalog.database import places
from catalog.database.columns import (
    BYTES,
    MAP,
    SHORT,
    TEXT,
    TIME,
    TRUTH,
    WHOLE,
    Row,
    by_column,
    insert_table,
    run_on_rows,
    run_on_table,
    schema,
)
from catalog.records import BodyMoved, Encryption, Lock, Version
from catalog.relocation import relocated

COLUMNS = schema(
    seq=WHOLE,
    bucket_id=WHOLE,
    key=TEXT,
    version_id=TEXT,
    is_latest=TRUTH,
    is_delete_marker=TRUTH,
    size=WHOLE,
    last_modified=TIME,
    e_tag=TEXT,
    storage_class=TEXT,
    owner=TEXT,
    content_type=TEXT,
    checksum_algorithm=TEXT,
    checksum_type=TEXT,
    checksum_value=TEXT,
    parts_count=SHORT,
    headers=MAP,
    user_metadata=MAP,
    object_tags=MAP,
    entry=BYTES,
    body=WHOLE,
    object_lock_mode=TEXT,
    object_lock_retain_until_date=TIME,
    object_lock_legal_hold_status=TEXT,
    encryption_status=TEXT,
)
# Versions of before that a batch touches: whether each will be the newest of its key (NULL: as before), whether its row
# goes (for good, or to be written anew), whether it counts differently from now on.
SOUGHT = schema(seq=WHOLE, bucket_id=WHOLE, key=TEXT, becomes_latest=TRUTH, goes=TRUTH, counts=TRUTH)
_FOUND = pa.schema([("row", WHOLE), *SOUGHT, ("is_latest", TRUTH), ("is_delete_marker", TRUTH), ("size", WHOLE)])
_SEQ = schema(seq=WHOLE)
_BODY = schema(seq=WHOLE, entry=BYTES, body=WHOLE)
_KEY = schema(bucket_id=WHOLE, key=TEXT)
_LOCKS = ("object_lock_mode", "object_lock_retain_until_date", "object_lock_legal_hold_status")
_NO_LOCK = Lock()
_NONE: dict[str, str] = {}
# What is kept of encryption, and what S3 Inventory says of it.
STATUS = {"AES256": "SSE-S3", "aws:kms": "SSE-KMS", "SSE-C": "SSE-C"}

Place = tuple[int, str]  # bucket id and key

_encode = msgspec.msgpack.Encoder().encode
_decode: Callable[[bytes], Version] = msgspec.msgpack.Decoder(Version).decode


def table(
    bucket_ids: Sequence[int], keys: Sequence[str], versions: Sequence[Version], is_latest: Sequence[bool]
) -> pa.Table:
    """A row for each version, of values column by column; a delete marker has nothing of what comes with a body."""
    markers = [version.delete_marker for version in versions]
    checksums = [version.checksum for version in versions]
    values: dict[str, Sequence[Any] | pa.Array] = {
        "size": [version.size for version in versions],
        "e_tag": [version.etag for version in versions],
        "storage_class": [version.storage_class for version in versions],
        "content_type": [version.content_type for version in versions],
        "checksum_algorithm": [None if checksum is None else checksum.algorithm for checksum in checksums],
        "checksum_type": [None if checksum is None else checksum.kind for checksum in checksums],
        "checksum_value": [None if checksum is None else checksum.value for checksum in checksums],
        "parts_count": [None if version.parts is None else version.part_count for version in versions],
        "headers": [version.headers or _NONE for version in versions],
        "user_metadata": [version.metadata or _NONE for version in versions],
        "object_tags": [version.tags or _NONE for version in versions],
    }
    if any(markers):
        for name, column in values.items():
            values[name] = [None if marker else value for value, marker in zip(column, markers, strict=True)]
    values |= {
        "seq": [version.seq for version in versions],
        "bucket_id": bucket_ids,
        "key": keys,
        "version_id": [version.version_id for version in versions],
        "is_latest": is_latest,
        "is_delete_marker": markers,
        "last_modified": [version.modified for version in versions],
        "owner": [version.owner for version in versions],
        "entry": [_encode(version) for version in versions],
        "body": list(map(places.of_version, versions)),
        **_locks([version.lock for version in versions]),
        "encryption_status": _encryption([version.encryption for version in versions]),
    }
    return by_column(COLUMNS, values)


def _locks(locks: Sequence[Lock | None]) -> dict[str, Sequence[Any] | pa.Array]:
    if not any(locks):
        return {name: pa.nulls(len(locks), COLUMNS.field(name).type) for name in _LOCKS}
    held = [lock or _NO_LOCK for lock in locks]
    columns = (
        [lock.mode or None for lock in held],
        [lock.until if lock.mode else None for lock in held],
        [lock.hold or None for lock in held],
    )
    return dict(zip(_LOCKS, columns, strict=True))


def _encryption(held: Sequence[Encryption | None]) -> Sequence[str | None] | pa.Array:
    if not any(held):
        return pa.nulls(len(held), TEXT)
    return [None if each is None else STATUS[each.kind] for each in held]


def add(connection: duckdb.DuckDBPyConnection, table: pa.Table) -> None:
    insert_table(connection, "private.objects", table)


def find(connection: duckdb.DuckDBPyConnection, sought: pa.Table) -> pa.Table:
    """What is there of SOUGHT, with what it is now; and its `row`, which is good until the transaction ends.

    Reads the number of every version there is, which a batch should do only once.
    """
    if not sought.num_rows:
        return _FOUND.empty_table()
    connection.register("incoming", sought)
    try:
        return connection.sql(
            "SELECT objects.rowid AS row, incoming.*, is_latest, is_delete_marker, size"
            " FROM private.objects JOIN incoming USING (seq)"
        ).to_arrow_table()
    finally:
        connection.unregister("incoming")


def remove(connection: duckdb.DuckDBPyConnection, found: pa.Table) -> None:
    _where_row(connection, "DELETE FROM private.objects", found)


def remove_of_keys(connection: duckdb.DuckDBPyConnection, bucket_id: int, keys: Collection[str]) -> None:
    statement = "DELETE FROM private.objects WHERE (bucket_id, key) IN (SELECT bucket_id, key FROM incoming)"
    run_on_rows(connection, statement, _KEY, [(bucket_id, key) for key in keys])


def mark_latest(connection: duckdb.DuckDBPyConnection, found: pa.Table, is_latest: bool) -> None:
    _where_row(connection, f"UPDATE private.objects SET is_latest = {is_latest}", found)


def move_bodies(connection: duckdb.DuckDBPyConnection, moves: Mapping[int, Sequence[BodyMoved]]) -> None:
    """The entries of these versions, by seq, name the new places of bodies; versions that ended are passed over."""
    rows = []
    for seq, entry in _where_seq(connection, "SELECT seq, entry FROM private.objects", moves.keys()):
        version = _decode(entry)
        for move in moves[seq]:
            version = relocated(version, move)
        rows.append((seq, _encode(version), places.of_version(version)))
    if rows:
        change = "entry = incoming.entry, body = incoming.body"
        statement = f"UPDATE private.objects SET {change} FROM incoming WHERE objects.seq = incoming.seq"
        run_on_rows(connection, statement, _BODY, rows)


def versions_of(connection: duckdb.DuckDBPyConnection, keys: Iterable[Place]) -> list[tuple[int, str, int]]:
    """Bucket id, key and seq of all versions of the keys. Reads the key of every row there is."""
    found = run_on_rows(
        connection,
        "SELECT bucket_id, key, seq FROM private.objects SEMI JOIN incoming USING (bucket_id, key)",
        _KEY,
        list(keys),
    )
    return [(bucket_id, key, seq) for bucket_id, key, seq in found]


def _where_seq(connection: duckdb.DuckDBPyConnection, statement: str, seqs: Collection[int]) -> list[Row]:
    if not seqs:
        return []
    condition = " WHERE seq IN (SELECT seq FROM incoming)"
    return run_on_rows(connection, statement + condition, _SEQ, [(seq,) for seq in seqs])


def _where_row(connection: duckdb.DuckDBPyConnection, statement: str, found: pa.Table) -> None:
    if found.num_rows:
        run_on_table(connection, f"{statement} WHERE rowid IN (SELECT row FROM incoming)", found.select(["row"]))
