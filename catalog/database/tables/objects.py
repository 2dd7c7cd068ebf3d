"""Every version of every object, delete markers among them, each identified by the `seq` of the mutation that made it.

`is_latest` is stored, not computed: a window over all keys costs a view seconds at ten million rows, while the
applier knows from the mutation which row gains or loses the flag, and finds it by `seq` through the zone maps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import duckdb
import msgspec
import pyarrow as pa

from catalog.database.columns import (
    BYTES,
    MAP,
    SHORT,
    TEXT,
    TIME,
    TRUTH,
    WHOLE,
    Row,
    arrow,
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
)
_SEQ = schema(seq=WHOLE)
_ENTRY = schema(seq=WHOLE, entry=BYTES)
_KEY = schema(bucket_id=WHOLE, key=TEXT)
_NONE: dict[str, str] = {}
_NOTHING = (None,) * 8  # what a delete marker has of the columns behind owner

_encode = msgspec.msgpack.Encoder().encode
_decode: Callable[[bytes], Version] = msgspec.msgpack.Decoder(Version).decode


def row(bucket_id: int, key: str, version: Version, is_latest: bool) -> Row:
    if version.delete_marker:
        marker = (version.seq, bucket_id, key, version.version_id, is_latest, True, None, version.modified)
        return (*marker, None, None, version.owner, *_NOTHING, _encode(version))
    checksum, parts = version.checksum, version.parts
    return (
        version.seq,
        bucket_id,
        key,
        version.version_id,
        is_latest,
        False,
        version.size,
        version.modified,
        version.etag,
        version.storage_class,
        version.owner,
        version.content_type,
        None if checksum is None else checksum.algorithm,
        None if checksum is None else checksum.kind,
        None if checksum is None else checksum.value,
        None if parts is None else version.part_count,
        version.headers or _NONE,
        version.metadata or _NONE,
        version.tags or _NONE,
        _encode(version),
    )


def table(rows: list[Row]) -> pa.Table | None:
    return arrow(COLUMNS, rows) if rows else None


def add(connection: duckdb.DuckDBPyConnection, table: pa.Table | None) -> None:
    insert_table(connection, "private.objects", table)


def remove(connection: duckdb.DuckDBPyConnection, seqs: Collection[int]) -> None:
    _where_seq(connection, "DELETE FROM private.objects", seqs)


def mark_latest(connection: duckdb.DuckDBPyConnection, seqs: Collection[int], is_latest: bool) -> None:
    _where_seq(connection, f"UPDATE private.objects SET is_latest = {is_latest}", seqs)


def move_bodies(connection: duckdb.DuckDBPyConnection, moves: Mapping[int, Sequence[BodyMoved]]) -> None:
    """The entries of these versions, by seq, name the new places of bodies; versions that ended are passed over."""
    rows = []
    for seq, entry in _where_seq(connection, "SELECT seq, entry FROM private.objects", moves.keys()):
        version = _decode(entry)
        for move in moves[seq]:
            version = relocated(version, move)
        rows.append((seq, _encode(version)))
    if rows:
        statement = "UPDATE private.objects SET entry = incoming.entry FROM incoming WHERE objects.seq = incoming.seq"
        run_on_rows(connection, statement, _ENTRY, rows)


def latest_among(connection: duckdb.DuckDBPyConnection, seqs: Collection[int]) -> set[int]:
    """Those of the versions named by `seqs` that are the newest of their keys."""
    return {seq for seq, latest in _where_seq(connection, "SELECT seq, is_latest FROM private.objects", seqs) if latest}


def versions_of(connection: duckdb.DuckDBPyConnection, keys: Iterable[tuple[int, str]]) -> list[tuple[int, str, int]]:
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
