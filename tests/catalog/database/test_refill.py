"""A database that is gone, or too far behind, is made again of the key index."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from catalog import Catalog
from catalog.database.connection import open_database
from catalog.database.feed import open_feed
from catalog.database.follower import Follower
from catalog.database.tables import applied
from catalog.folder import Folder
from catalog.index import Index
from catalog.index.rebuild import rebuild
from catalog.records import Origin, Part, Piece, Version
from conformance.crash.folder import tables
from tests.catalog.test_opening import fill

ORIGIN = Origin("someone")
DRAFT = Version(0, "", 0, "e", 60_000, "STANDARD", "root")
COMPARED = ("objects", "uploads", "parts", "buckets", "users")
USAGE = (
    "SELECT bucket_id, depth, prefix, below, sum(objects), sum(bytes), sum(noncurrent_versions), sum(delete_markers)"
    " FROM (FROM (SELECT * EXCLUDE (day) FROM private.usage_recent) UNION ALL FROM private.usage_settled)"
    " GROUP BY ALL HAVING sum(objects) <> 0 OR sum(noncurrent_versions) <> 0 OR sum(delete_markers) <> 0 ORDER BY ALL"
)


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A catalog of several segments, in some of which no body lives any more."""
    data = tmp_path / "data"
    await fill(data)
    catalog = Catalog.open(data)
    bucket = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    parts = [Part(number, 5, "e", 0, Piece(5, blob=bytes([number] * 16))) for number in range(1, 5)]
    await catalog.put(ORIGIN, bucket, "in-parts", Version(0, "", 0, "e-4", 20, "STANDARD", "root", parts=parts))
    await catalog.close()
    await put(data, 60)
    return data


async def put(data: Path, count: int) -> None:
    catalog = Catalog.open(data)
    catalog._log.segment_size = 512 * 1024
    bucket = catalog.bucket("plain")
    for number in range(count):
        await catalog.put(ORIGIN, bucket, f"folder/{number % 7}", DRAFT, bytes(60_000))
        if number % 3 == 0:
            await catalog.delete(ORIGIN, bucket, f"folder/{number % 5}")
    await catalog.close()


def follow(data: Path) -> dict[str, Any]:
    """Bring the database up to date, and say what is in it."""
    catalog = Catalog.open(data)
    try:
        with open_database(data) as connection:
            Follower(connection, catalog.tail()).catch_up()
            return everything(connection)
    finally:
        catalog.release()


def everything(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    found = {table: rows(connection, f"FROM private.{table} ORDER BY ALL") for table in COMPARED}
    return found | {"usage": rows(connection, USAGE), "applied": applied.position(connection)}


def rows(connection: duckdb.DuckDBPyConnection, statement: str) -> list[tuple[Any, ...]]:
    return connection.execute(statement).fetchall()


def test_a_database_that_is_gone_is_made_again_of_the_index(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = follow(data)
    (data / "catalog.duckdb").unlink()
    drop_segments(data)
    with caplog.at_level(logging.WARNING):
        assert follow(data) == before
    assert "the journal is complete up to 0" in caplog.text
    with open_feed(Folder(data)) as feed:
        catalog = Catalog.open(data)
        anew = Index(data / "anew")
        rebuild(anew, catalog.tail().catalog_id, feed, catalog._log)
        assert tables(anew) == tables(catalog._index)
        catalog.release()


async def test_a_database_that_is_too_far_behind_keeps_its_journal(data: Path) -> None:
    before = follow(data)
    shutil.copy(data / "catalog.duckdb", data / "copy")
    await put(data, 40)
    after = follow(data)
    shutil.move(data / "copy", data / "catalog.duckdb")
    drop_segments(data)
    assert follow(data) == after
    with open_database(data) as connection:
        kept = before["applied"].seq
        seqs = [seq for (seq,) in rows(connection, "SELECT seq FROM private.journal")]
        puts = [
            seq
            for (seq,) in rows(connection, "SELECT seq FROM journal WHERE operation LIKE '%Put' AND seq = version_seq")
        ]
        assert set(range(1, kept + 1)) <= set(seqs)
        assert seqs == sorted(seqs)
        assert {seq for seq in puts if seq > kept} == {row[0] for row in after["objects"] if row[0] > kept}
        assert_time_travel_ends_now(connection)


async def test_a_log_that_breaks_where_it_is_not_applied_yet(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that S3 shows is lost with it."""
    catalog = Catalog.open(data)
    tail = catalog.tail()
    records, _ = tail.read(tail.end(), tail.end(), 1)
    assert records == []
    with (data / "log" / f"{1:016x}.log").open("r+b") as file:
        file.seek(300)
        file.write(b"\xff\xff")
    with open_database(data) as connection, caplog.at_level(logging.WARNING):
        follower = Follower(connection, tail)
        follower.catch_up()
        assert follower.applied == tail.end()
        ((count,),) = rows(connection, "SELECT count(*) FROM objects WHERE key LIKE 'folder/%'")
        listed = catalog.list_objects(catalog.bucket("plain"), prefix="folder/").keys
        assert count == len(listed) > 0
    assert "is damaged or missing" in caplog.text
    catalog.release()


async def test_time_travel_comes_to_what_there_is(tmp_path: Path) -> None:
    """Whatever happened between what the journal has and the end."""
    data = tmp_path / "data"
    catalog = Catalog.open(data)
    catalog._log.segment_size = 512 * 1024
    for versioning in ("", "Enabled"):
        name = f"bucket-{versioning.lower()}"
        await catalog.create_bucket(ORIGIN, name, "root", "us-east-1")
        await catalog.update_bucket(ORIGIN, name, lambda held: replace(held, versioning=versioning))  # noqa: B023
    ids = await write_and_end(catalog, {})
    await catalog.close()
    follow(data)
    shutil.copy(data / "catalog.duckdb", data / "copy")
    catalog = Catalog.open(data)
    catalog._log.segment_size = 512 * 1024
    await write_and_end(catalog, ids)
    for _ in range(30):
        await catalog.put(ORIGIN, catalog.bucket("bucket-"), "filler", DRAFT, bytes(60_000))
    await catalog.close()
    expected = follow(data)
    shutil.move(data / "copy", data / "catalog.duckdb")
    drop_segments(data)
    assert follow(data) == expected
    with open_database(data) as connection:
        assert_time_travel_ends_now(connection)
        assert rows(connection, "SELECT count(*) FROM objects WHERE bucket = 'bucket-enabled'") == [(3,)]


async def write_and_end(catalog: Catalog, ids: dict[str, str]) -> dict[str, str]:
    """Each time some are written for good, some hidden, and some of those before are ended."""
    made: dict[str, str] = {}
    for name in ("bucket-", "bucket-enabled"):
        bucket = catalog.bucket(name)
        for key in ("kept", "again", "hidden", "uncovered", "gone"):
            if key != "kept" or not ids:
                made[f"{name}/{key}"] = (await catalog.put(ORIGIN, bucket, key, DRAFT)).version_id
        if ids:
            await catalog.delete(ORIGIN, bucket, "hidden")
            await catalog.delete(ORIGIN, bucket, "uncovered", made[f"{name}/uncovered"])
            await catalog.delete(ORIGIN, bucket, "gone", made[f"{name}/gone"])
            await catalog.delete(ORIGIN, bucket, "gone", ids[f"{name}/gone"])
    return made


def assert_time_travel_ends_now(connection: duckdb.DuckDBPyConnection) -> None:
    for (bucket,) in rows(connection, "SELECT bucket FROM buckets"):
        listed = connection.execute("SELECT key, seq FROM objects WHERE bucket = ? ORDER BY ALL", [bucket]).fetchall()
        statement = "SELECT key, seq FROM objects_at_seq(?, 1000000) ORDER BY ALL"
        assert connection.execute(statement, [bucket]).fetchall() == listed
        changed = "SELECT key, seq FROM delta_seq(?, 0, 1000000) WHERE change = 'added' ORDER BY key"
        found = connection.execute(changed, [bucket]).fetchall()
        assert [key for key, _ in found] == [key for key, _ in listed]


def drop_segments(data: Path) -> None:
    """As the catalog process does with those that it has applied."""
    catalog = Catalog.open(data)
    assert catalog.tail().drop_dead_segments(catalog.end())
    catalog.release()
