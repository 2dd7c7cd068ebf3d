"""Who names a body, alone or in parts, and however old its row is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import msgspec
import pytest

from catalog.database import bodies
from catalog.database.applier import apply
from catalog.database.bodies import holders, in_segment
from catalog.database.connection import migrate, open_database
from catalog.holders import PartSuspect
from catalog.records import BodyMoved, LogRecord, Part, PartHolder, Piece, VersionHolder
from tests.catalog.database.history import ORIGIN, History, MemorySource

BLOB = bytes(range(16))
LIKE_IT = BLOB[:8] + bytes(8)
PLACE, NEW_PLACE = Piece(5, 1, 700), Piece(5, 2, 64)
LAST, FURTHER = Piece(5, 3, 900), Piece(5, 7, 64)
SEVERAL = Piece(5, 3, 1900), Piece(5, 4, 64)


@pytest.fixture
def told() -> History:
    history = History()
    bucket = history.create_bucket("photos", "Enabled").id  # 1
    for body in (Piece(90_000, blob=BLOB), Piece(90_000, blob=LIKE_IT), PLACE):  # 2, 3, 4
        put(history, bucket, body)
    upload = history.create_upload(bucket, "film").upload_id  # 5
    history.put_part(upload, 1)  # 6: a blob of this number
    history.put(bucket, "film", upload_id=upload)  # 7
    put(history, bucket, Piece(6 << 20, blob=BLOB), LAST)  # 8
    put(history, bucket, *SEVERAL)  # 9
    history.put_part(history.create_upload(bucket, "later").upload_id, 1)  # 10, 11: a blob of this number
    history.put_part(history.create_upload(bucket, "last").upload_id, 1)  # 12, 13
    replaced(history, lambda mutation: msgspec.structs.replace(mutation, part=Part(1, 5, "e", 0, LAST)))
    return history


def put(history: History, bucket: int, *pieces: Piece) -> None:
    """One is the body of the version, several are those of its parts."""
    history.put(bucket, "key")
    version = history.versions[bucket, "key"][0]
    parts = [Part(number, piece.size, "e", 0, piece) for number, piece in enumerate(pieces, 1)]
    alone = {"body": pieces[0]} if len(pieces) == 1 else {"body": None, "parts": parts}
    history.versions[bucket, "key"][0] = version = msgspec.structs.replace(version, **alone)
    replaced(history, lambda mutation: msgspec.structs.replace(mutation, put=version))


def replaced(history: History, change: Callable[[Any], Any]) -> None:
    seq, record = history.records[-1]
    history.records[-1] = seq, LogRecord(record.time, ORIGIN, change(record.mutation))


@pytest.fixture
def database(told: History) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database(None) as connection:
        apply(connection, told.records, told.position())
        yield connection


def named(connection: duckdb.DuckDBPyConnection, history: History, body: Piece) -> list[tuple[int, int]]:
    return holders(connection, MemorySource(history), body).versions


def test_each_is_found_by_its_own_name_alone(database: duckdb.DuckDBPyConnection, told: History) -> None:
    assert named(database, told, Piece(0, blob=BLOB)) == [(2, 0), (8, 1)]
    assert named(database, told, Piece(0, blob=LIKE_IT)) == [(3, 0)]
    assert named(database, told, Piece(0, 1, 700)) == [(4, 0)]
    assert named(database, told, Piece(0, blob=(6).to_bytes(16, "big"))) == [(7, 1)]
    assert named(database, told, LAST) == [(8, 2)]
    assert [named(database, told, piece) for piece in SEVERAL] == [[(9, 1)], [(9, 2)]]
    assert [len(holders(database, MemorySource(told), piece).parts) for piece in (LAST, PLACE)] == [1, 0]


def test_all_that_may_name_a_body_in_a_segment(database: duckdb.DuckDBPyConnection) -> None:
    several = VersionHolder(1, "key", 9)
    assert set(in_segment(database, 1)) == {VersionHolder(1, "key", 4), several}
    *versions, part = in_segment(database, 3)
    assert set(versions) == {VersionHolder(1, "key", 8), several}
    assert isinstance(part, PartSuspect) and (part.key, part.number) == ("last", 1)


def test_blobs_that_anybody_names(database: duckdb.DuckDBPyConnection) -> None:
    numbered = [number.to_bytes(16, "big") for number in (6, 11, 12)]
    unknown = LIKE_IT[:8] + bytes(7) + b"1"
    assert set(bodies.named(database, [BLOB, LIKE_IT, unknown, *numbered])) == {BLOB, LIKE_IT, *numbered[:2]}


def test_one_that_moved_is_found_where_it_lies(database: duckdb.DuckDBPyConnection, told: History) -> None:
    _, upload_id = [each.upload_id for each in told.uploads.values()]
    moves = (
        BodyMoved(PLACE, NEW_PLACE, [VersionHolder(1, "key", 4)]),
        BodyMoved(LAST, FURTHER, [VersionHolder(1, "key", 8)], [PartHolder(upload_id, 1)]),
    )
    apply(database, [(seq, LogRecord(0, ORIGIN, move)) for seq, move in enumerate(moves, 14)], told.position(15))
    assert named(database, told, NEW_PLACE) == [(4, 0)]
    assert named(database, told, FURTHER) == [(8, 2)]
    assert holders(database, MemorySource(told), FURTHER).parts == [(upload_id, 1)]
    assert named(database, told, PLACE) == named(database, told, LAST) == []
    assert in_segment(database, 3) == [VersionHolder(1, "key", 9)]


def test_rows_of_before_are_found_as_those_of_today(database: duckdb.DuckDBPyConnection, told: History) -> None:
    database.execute(
        "UPDATE private.objects SET body = NULL; ALTER TABLE private.parts DROP COLUMN body;"
        "ALTER TABLE private.objects DROP COLUMN encryption_status;"
        "ALTER TABLE private.journal DROP COLUMN encryption_status;"
        "ALTER TABLE private.journal DROP COLUMN s3_operation;"
        "DELETE FROM private.schema_version WHERE version > 6"
    )
    migrate(database)
    test_each_is_found_by_its_own_name_alone(database, told)
    test_all_that_may_name_a_body_in_a_segment(database)
