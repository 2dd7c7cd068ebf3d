"""Who names a body, whether a column says it or only the records do."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import msgspec
import pytest

from catalog.database.applier import apply
from catalog.database.bodies import holders
from catalog.database.connection import open_database
from catalog.records import BodyMoved, LogRecord, ObjectChanged, Piece, VersionHolder
from tests.catalog.database.history import ORIGIN, History, MemorySource

BLOB = bytes(range(16))
LIKE_IT = BLOB[:8] + bytes(8)
PLACE, NEW_PLACE = Piece(5, 1, 700), Piece(5, 2, 64)


@pytest.fixture
def told() -> History:
    history = History()
    bucket = history.create_bucket("photos", "Enabled").id  # 1
    for body in (Piece(90_000, blob=BLOB), Piece(90_000, blob=LIKE_IT), PLACE):  # 2, 3, 4
        history.put(bucket, "key")
        seq, record = history.records[-1]
        assert isinstance(record.mutation, ObjectChanged) and record.mutation.put is not None
        put = msgspec.structs.replace(record.mutation.put, body=body)
        mutation = msgspec.structs.replace(record.mutation, put=put)
        history.records[-1] = seq, LogRecord(record.time, ORIGIN, mutation)
        history.versions[bucket, "key"][0] = put
    upload = history.create_upload(bucket, "film").upload_id  # 5
    history.put_part(upload, 1)  # 6: a blob of this number
    history.put(bucket, "film", upload_id=upload)  # 7
    return history


@pytest.fixture
def database(told: History) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database(None) as connection:
        apply(connection, told.records, told.position())
        yield connection


def named(connection: duckdb.DuckDBPyConnection, history: History, body: Piece) -> list[tuple[int, int]]:
    return holders(connection, MemorySource(history), body).versions


def test_each_is_found_by_its_own_name_alone(database: duckdb.DuckDBPyConnection, told: History) -> None:
    assert named(database, told, Piece(0, blob=BLOB)) == [(2, 0)]
    assert named(database, told, Piece(0, blob=LIKE_IT)) == [(3, 0)]
    assert named(database, told, Piece(0, 1, 700)) == [(4, 0)]
    assert named(database, told, Piece(0, blob=(6).to_bytes(16, "big"))) == [(7, 1)]


def test_one_that_moved_is_found_where_it_lies(database: duckdb.DuckDBPyConnection, told: History) -> None:
    moved = BodyMoved(PLACE, NEW_PLACE, [VersionHolder(1, "key", 4)])
    apply(database, [(8, LogRecord(0, ORIGIN, moved))], told.position(8))
    assert named(database, told, NEW_PLACE) == [(4, 0)]
    assert named(database, told, PLACE) == []


def test_rows_of_before_are_found_by_their_records(database: duckdb.DuckDBPyConnection, told: History) -> None:
    database.execute("UPDATE private.objects SET body = NULL")
    test_each_is_found_by_its_own_name_alone(database, told)
