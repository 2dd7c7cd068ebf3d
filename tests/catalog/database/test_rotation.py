from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from catalog.database import rotation as module
from catalog.database import served
from catalog.database.applier import apply
from catalog.database.connection import open_database
from catalog.database.query import Query
from catalog.database.registry import see
from catalog.database.rotation import Rotation, reads_requests, runs
from catalog.database.served import File
from catalog.database.views import change
from catalog.errors import QueryFailed, QueryRefused
from catalog.requests import FOLDER, Incoming, waiting
from tests.catalog.database.history import History
from tests.catalog.database.served_rows import NOW, hand_over

TODAY = NOW.date()


@pytest.fixture
def rotation(tmp_path: Path) -> Rotation:
    return Rotation(tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database(tmp_path) as connection:
        yield connection


def keys(database: duckdb.DuckDBPyConnection, rotation: Rotation, owner: str | None = None) -> list[str]:
    with database.cursor() as cursor:
        see(cursor, owner)
        with rotation.shown(cursor):
            return [key for (key,) in cursor.execute("SELECT key FROM requests ORDER BY key").fetchall()]


def files(rotation: Rotation) -> list[Path]:
    return [file.path for file in served.every(rotation._folder)]


def test_a_query_sees_what_was_written_before_it(
    database: duckdb.DuckDBPyConnection, rotation: Rotation, tmp_path: Path
) -> None:
    incoming = Incoming(tmp_path)
    assert keys(database, rotation) == []
    for key in "abc":
        hand_over(tmp_path, {"key": key}, incoming=incoming)
        assert keys(database, rotation)[-1] == key
    assert keys(database, rotation) == ["a", "b", "c"]
    assert len(files(rotation)) == 3


def test_a_query_is_shown_requests_if_it_names_them(database: duckdb.DuckDBPyConnection, rotation: Rotation) -> None:
    hand_over(rotation._directory, {"key": "a"})
    assert list(Query(database, "SELECT key FROM objects", rotation=rotation).run())
    assert files(rotation) == []
    change(database, "add", "reads", "SELECT * FROM Requests WHERE operation = 'GetObject'")
    change(database, "add", "cold", "SELECT * FROM reads")
    assert list(Query(database, "SELECT key FROM COLD", rotation=rotation).run())[-1].rows == 1
    assert not reads_requests(database, "SELECT key FROM objects")


def test_rows_that_are_stored_are_those_of_the_moment(database: duckdb.DuckDBPyConnection, rotation: Rotation) -> None:
    hand_over(rotation._directory, {"key": "a"})
    change(database, "add", "mine", "SELECT key FROM requests")
    with rotation.shown(database):
        change(database, "materialise", "mine")
    hand_over(rotation._directory, {"key": "b"})
    see(database, None)
    assert database.execute("FROM mine").fetchall() == [("a",)]


def test_others_requests_are_not_seen(database: duckdb.DuckDBPyConnection, rotation: Rotation) -> None:
    history = History()
    hers = history.create_bucket("hers", owner="alice").id
    theirs = history.create_bucket("theirs", owner="bob").id
    apply(database, history.records, history.position())
    hand_over(
        rotation._directory,
        {"bucket_id": hers, "bucket": "hers", "key": "a"},
        {"bucket_id": theirs, "bucket": "theirs", "key": "b"},
        {"bucket_id": 0, "bucket": None, "key": "c", "requester": "alice"},
    )
    assert keys(database, rotation, "alice") == ["a"]
    assert keys(database, rotation, "bob") == ["b"]
    assert keys(database, rotation) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "statement",
    [
        "FROM read_parquet('{path}')",
        "FROM '{path}'",
        "FROM query('SELECT 1')",
        "SELECT getvariable('requests')",
        "FROM glob('{folder}/**')",
        "COPY objects TO '{folder}/x.parquet'",
        "SET VARIABLE requests = 'SELECT 1'",
    ],
)
def test_the_files_are_for_the_view_only(
    database: duckdb.DuckDBPyConnection, rotation: Rotation, statement: str
) -> None:
    hand_over(rotation._directory, {})
    rotation.settle()
    (path,) = files(rotation)
    asked = statement.format(path=path, folder=path.parent.parent)
    with pytest.raises((QueryRefused, QueryFailed)):
        list(Query(database, asked, rotation=rotation).run())


@pytest.mark.parametrize("name", ["it's", "a[1]", "*", "{a,b}"])
def test_a_data_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    hand_over(tmp_path / name, {"key": "a"})
    with open_database(tmp_path / name) as database:
        assert keys(database, Rotation(tmp_path / name)) == ["a"]


def test_beside_them_no_file_can_be_read(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    for path in (tmp_path / "root.key", tmp_path / FOLDER / ".." / "root.key"):
        (tmp_path / "root.key").write_text("secret")
        with pytest.raises(duckdb.PermissionException):
            database.execute(f"FROM read_text('{path}')")


def test_work_that_was_broken_off_is_done_again_without_a_row_twice(
    database: duckdb.DuckDBPyConnection, rotation: Rotation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the file and the removal of what it was made of."""
    yesterday = {"key": "b", "time": (NOW - timedelta(days=1)).timestamp()}
    hand_over(rotation._directory, {"key": "a"}, yesterday)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", fail)
        with pytest.raises(OSError, match="killed"):
            rotation.settle()
    assert keys(database, Rotation(rotation._directory)) == ["a", "b"]
    assert waiting(rotation._directory) == list((rotation._folder / "incoming").iterdir()) == []


def fail(*_: object, **__: object) -> None:
    raise OSError("killed")


def test_numbers_go_up_whatever_the_clock_does(
    database: duckdb.DuckDBPyConnection, rotation: Rotation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, now in (("a", 3_000), ("b", 2_000), ("c", 1_000)):
        hand_over(rotation._directory, {"key": key})
        monkeypatch.setattr(module.time, "time_ns", lambda now=now: now)
        rotation.settle()
    assert [file.first for file in served.every(rotation._folder)] == [3, 4, 5]
    assert keys(database, rotation) == ["a", "b", "c"]


def test_a_disk_that_is_full_costs_the_newest_only(
    database: duckdb.DuckDBPyConnection, rotation: Rotation, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(rotation._directory, {"key": "a"})
    rotation.settle()
    hand_over(rotation._directory, {"key": "b"})
    with monkeypatch.context() as patch:
        patch.setattr(served, "write", fail)
        assert keys(database, rotation) == ["a"]
    assert keys(database, rotation) == ["a", "b"]


def test_small_files_become_one_and_go_when_nobody_reads_them(
    database: duckdb.DuckDBPyConnection, rotation: Rotation
) -> None:
    for key in "abcdefgh":
        hand_over(rotation._directory, {"key": key})
        rotation.settle()
    small = files(rotation)
    with database.cursor() as cursor:
        see(cursor, None)
        with rotation.shown(cursor):
            rotation.step()
            assert len(files(rotation)) == len(small) + 1
            rotation.step()
            assert len(cursor.execute("FROM requests").fetchall()) == 8
    rotation.step()
    (merged,) = files(rotation)
    assert merged.name == f"{small[0].name[:16]}-{small[-1].name[17:]}"
    assert keys(database, rotation) == list("abcdefgh")


def test_a_query_that_began_later_does_not_keep_what_was_void_before(rotation: Rotation) -> None:
    connection = duckdb.connect()
    for _ in range(8):
        hand_over(rotation._directory, {})
        rotation.settle()
    with rotation.shown(connection):
        rotation.step()
        with rotation.shown(connection):
            rotation.step()
            assert len(files(rotation)) == 9
    with rotation.shown(connection):
        rotation.step()
        assert len(files(rotation)) == 1


def test_days_that_are_over_go(tmp_path: Path) -> None:
    hand_over(tmp_path, *({"time": (NOW - timedelta(days=days)).timestamp()} for days in range(4)))
    Rotation(tmp_path).settle()
    rotation = Rotation(tmp_path, days=2)
    connection = duckdb.connect()
    with rotation.shown(connection):
        rotation.step()
        assert len(files(rotation)) == 4
    rotation.step()
    assert [path.parent.name for path in files(rotation)] == [f"day={TODAY - timedelta(days=1)}", f"day={TODAY}"]
    assert len(list(rotation._folder.glob("day=*"))) == 2


def test_few_rows_wait_for_more_but_not_long(rotation: Rotation, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_over(rotation._directory, {})
    rotation.step()
    assert files(rotation) == []
    monkeypatch.setattr(module, "LATE", 0.0)
    rotation.step()
    assert len(files(rotation)) == 1


def test_many_rows_do_not_wait(rotation: Rotation, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_over(rotation._directory, {})
    monkeypatch.setattr(module, "ENOUGH", 10)
    rotation.step()
    assert len(files(rotation)) == 1


@pytest.mark.parametrize("much, least", [(1 << 30, 40.0), (0, 1.0)])
def test_between_pieces_of_work_it_rests(
    rotation: Rotation, monkeypatch: pytest.MonkeyPatch, much: int, least: float
) -> None:
    hand_over(rotation._directory, *[{}] * 20_000)
    monkeypatch.setattr(module, "MUCH", much)
    monkeypatch.setattr(module, "ENOUGH", 10)
    rests: list[float] = []
    monkeypatch.setattr(rotation._hurried, "wait", rests.append)
    before = time.thread_time()
    rotation.step()
    worked = time.thread_time() - before
    assert rests
    assert max(rests) <= least * worked
    assert (sum(rests) > 5 * worked) is (least > 5)


def test_who_waits_for_it_ends_the_rests(
    database: duckdb.DuckDBPyConnection, rotation: Rotation, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(rotation._directory, *[{"key": "a"}] * 40_000)
    monkeypatch.setattr(module, "ENOUGH", 10)
    monkeypatch.setattr(module, "RESTS", 1e6)
    stepping = threading.Thread(target=rotation.step)
    stepping.start()
    while not list(rotation._folder.glob("day=*/*.new")):
        time.sleep(0.001)
    assert len(keys(database, rotation)) == 40_000
    stepping.join()


async def until(condition: Callable[[], bool]) -> None:
    while True:
        if condition():
            return
        await asyncio.sleep(0.01)


async def test_it_runs_until_it_is_stopped(rotation: Rotation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATE", 0.0)
    monkeypatch.setattr(module, "PAUSE", 0.01)
    running = asyncio.create_task(rotation.run())
    for count in (1, 2):
        hand_over(rotation._directory, {})
        await until(lambda count=count: len(files(rotation)) == count)
    rotation.stop()
    await running


async def test_a_step_that_fails_is_tried_again(
    rotation: Rotation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    steps: list[None] = []

    def step() -> None:
        steps.append(None)
        raise pa.ArrowInvalid("a broken file")

    monkeypatch.setattr(rotation, "step", step)
    running = asyncio.create_task(rotation.run())
    await until(lambda: len(steps) >= 3)
    rotation.stop()
    await running
    assert "a broken file" in caplog.text


def file(number: int, size: int, days_ago: int = 0) -> File:
    return File(TODAY - timedelta(days=days_ago), number, number, Path(f"{number}"), size)


MB = 1 << 20


@pytest.mark.parametrize(
    "there, expected",
    [
        ([(1000, 0)] * 7, []),
        ([(1000, 0)] * 8, [[0, 1, 2, 3, 4, 5, 6, 7]]),
        ([(3 * MB, 0)] + [(1000, 0)] * 9, [[1, 2, 3, 4, 5, 6, 7, 8, 9]]),
        ([(1000, 0)] * 4 + [(3 * MB, 0)] + [(1000, 0)] * 4, []),
        ([(20 * MB, 0)] * 20, []),
        ([(1000, 1), (3 * MB, 1), (1000, 0)], [[0, 1]]),
        ([(20 * MB, 1), (11 * MB, 1), (2 * MB, 1), (3 * MB, 1)], [[0, 1], [2, 3]]),
        ([(40 * MB, 1), (1000, 1)], []),
        ([(1000, 2), (1000, 1)], []),
    ],
)
def test_which_files_become_one(there: list[tuple[int, int]], expected: list[list[int]]) -> None:
    given = [file(number, size, days) for number, (size, days) in enumerate(there)]
    assert [[each.first for each in run] for run in runs(given, TODAY)] == expected
