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
    schema,
)
from catalog.records import BodyMoved, Version
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
)
_SEQ = schema(seq=WHOLE)
_BODY = schema(seq=WHOLE, entry=BYTES, body=WHOLE)
_KEY = schema(bucket_id=WHOLE, key=TEXT)
_NONE: dict[str, str] = {}

Place = tuple[int, str]  # bucket id and key

_encode = msgspec.msgpack.Encoder().encode
_decode: Callable[[bytes], Version] = msgspec.msgpack.Decoder(Version).decode


def table(
    bucket_ids: Sequence[int], keys: Sequence[str], versions: Sequence[Version], is_latest: Sequence[bool]
) -> pa.Table:
    """A row for each version, of values column by column; a delete marker has nothing of what comes with a body."""
    markers = [version.delete_marker for version in versions]
    checksums = [version.checksum for version in versions]
    values: dict[str, Sequence[Any]] = {
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
    }
    return by_column(COLUMNS, values)


def add(connection: duckdb.DuckDBPyConnection, table: pa.Table) -> None:
    insert_table(connection, "private.objects", table)


def remove(connection: duckdb.DuckDBPyConnection, seqs: Collection[int]) -> None:
    _where_seq(connection, "DELETE FROM private.objects", seqs)


def remove_of_keys(connection: duckdb.DuckDBPyConnection, bucket_id: int, keys: Collection[str]) -> None:
    statement = "DELETE FROM private.objects WHERE (bucket_id, key) IN (SELECT bucket_id, key FROM incoming)"
    run_on_rows(connection, statement, _KEY, [(bucket_id, key) for key in keys])


def mark_latest(connection: duckdb.DuckDBPyConnection, seqs: Collection[int], is_latest: bool) -> None:
    _where_seq(connection, f"UPDATE private.objects SET is_latest = {is_latest}", seqs)


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


def latest_among(connection: duckdb.DuckDBPyConnection, seqs: Collection[int]) -> set[int]:
    """Those of the versions named by `seqs` that are the newest of their keys."""
    return {seq for seq, latest in _where_seq(connection, "SELECT seq, is_latest FROM private.objects", seqs) if latest}


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
