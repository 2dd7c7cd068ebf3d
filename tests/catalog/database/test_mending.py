"""Rows and numbers that were tampered with become again what the applier made of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from catalog import Catalog
from catalog.database.connection import open_database
from catalog.database.follower import Follower
from catalog.database.mending import mend, recount
from catalog.errors import QueryFailed
from catalog.records import (
    BodyMoved,
    BucketRemoved,
    ObjectChanged,
    Origin,
    Piece,
    User,
    UserRemoved,
    Version,
    VersionHolder,
)
from catalog.tail import Tail

ORIGIN = Origin("someone")
ROWS = "SELECT * FROM private.objects ORDER BY seq"
USAGE = "SELECT * FROM usage ORDER BY ALL"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    asyncio.run(written(tmp_path / "data", range(40)))
    return tmp_path / "data"


async def written(data: Path, numbers: range) -> None:
    catalog = Catalog.open(data)
    if not catalog.buckets(None):
        await catalog.create_bucket(ORIGIN, "b", "root", "us-east-1")
    bucket = catalog.bucket("b")
    for number in numbers:
        draft = Version(0, "", 0, f"{number:032x}", number, "STANDARD", "root")
        await catalog.put(ORIGIN, bucket, f"a/{number % 3}/{number % 5}/{'k' * 500 if number % 2 else 'k'}", draft)
    await catalog.delete(ORIGIN, bucket, "a/1/1/" + "k" * 500)
    await catalog.close()


class Opened:
    def __init__(self, data: Path, connection: duckdb.DuckDBPyConnection, tail: Tail) -> None:
        self.data = data
        self.connection = connection
        self.tail = tail
        self.follower = Follower(connection, tail)

    def all(self, statement: str) -> list[Any]:
        return self.connection.execute(statement).fetchall()


@pytest.fixture
def opened(data: Path) -> Iterator[Opened]:
    catalog = Catalog.open(data)
    with open_database(data) as connection:
        yield Opened(data, connection, catalog.tail())
    catalog.release()


def test_rows_become_what_the_index_has(opened: Opened) -> None:
    opened.follower.catch_up()
    before = opened.all(ROWS)
    ((bucket_id, key),) = opened.all("SELECT bucket_id, key FROM private.objects LIMIT 1")
    for damage in ("DELETE FROM private.objects", "UPDATE private.objects SET size = size + 1, is_latest = false"):
        opened.connection.execute(f"{damage} WHERE key = ?", [key])
        assert opened.all(ROWS) != before
        opened.follower.mend(mend, bucket_id, [key, "not there"])
        assert opened.all(ROWS) == before


def test_usage_is_counted_anew_and_goes_on_from_there(opened: Opened) -> None:
    opened.follower.catch_up()
    before = opened.all(USAGE)
    opened.connection.execute("UPDATE private.usage_recent SET bytes = bytes * 2 WHERE depth > 1; ")
    opened.connection.execute("INSERT INTO private.usage_settled SELECT * EXCLUDE (day) FROM private.usage_recent")
    assert opened.all(USAGE) != before
    opened.follower.mend(recount)
    assert opened.all(USAGE) == before
    (day,) = opened.all("SELECT sum(objects), sum(bytes) FROM usage_daily WHERE depth = 0")
    (now,) = opened.all("SELECT sum(objects), sum(bytes) FROM usage WHERE depth = 0")
    assert day == now


def test_what_is_written_to_meanwhile_is_tried_again_and_then_given_up(opened: Opened) -> None:
    tried = []

    def touched(*_: object) -> bool:
        tried.append(1)
        return False

    with pytest.raises(QueryFailed, match="all the time"):
        opened.follower.mend(touched)
    assert len(tried) > 1


def test_a_mutation_of_the_key_that_is_not_applied_yet_is_in_the_way(opened: Opened) -> None:
    opened.follower.catch_up()
    ((bucket_id, key),) = opened.all("SELECT bucket_id, key FROM private.objects LIMIT 1")
    with opened.tail.contents() as contents:
        for mutation, done in (
            (ObjectChanged(bucket_id, key), False),
            (ObjectChanged(bucket_id, "another"), True),
            (ObjectChanged(bucket_id + 1, key), True),
            (BucketRemoved(bucket_id, "b"), False),
            (BodyMoved(Piece(1, 1, 1), Piece(1, 2, 2), [VersionHolder(bucket_id, key, 1)]), False),
            (UserRemoved(User("i", "n", "a", "s")), True),
        ):
            assert mend(opened.connection, contents, [mutation], bucket_id, [key]) is done
