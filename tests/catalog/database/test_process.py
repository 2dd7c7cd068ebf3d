from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from catalog import Catalog
from catalog.database import client, session
from catalog.database.client import Result
from catalog.database.connection import open_database
from catalog.database.feed import open_feed
from catalog.database.frames import SOCKET, Sql, pack
from catalog.database.limits import QUERIES
from catalog.database.process import NICENESS as APPLYING
from catalog.database.process import serve
from catalog.database.session import NICENESS as ASKING
from catalog.errors import CatalogError, QueryFailed, QueryRefused, QueryStopped
from catalog.folder import Folder
from catalog.records import Origin, Version
from tests.catalog.database.history import History, MemorySource

ORIGIN = Origin("root", "127.0.0.1", "REQ")
ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b"


class Server:
    def __init__(self, directory: Path, history: History) -> None:
        self.directory = directory
        self.history = history
        (directory / "log").mkdir()

    async def query(self, statement: str, seconds: float = 60.0) -> Result:
        return await asyncio.to_thread(client.query, self.directory, statement, seconds)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(Server(tmp_path, History())) as running:
        yield running


@contextlib.asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    stop, ready = asyncio.Event(), asyncio.Event()
    with open_database(server.directory) as database:
        running = asyncio.create_task(serve(server.directory, database, MemorySource(server.history), stop, ready.set))
        await ready.wait()
        yield server
        stop.set()
        await running


async def test_a_query_sees_every_write_acknowledged_before_it(server: Server) -> None:
    bucket = server.history.create_bucket("b").id
    for count in range(1, 6):
        server.history.put(bucket, f"k{count}", count)
        assert (await server.query("SELECT count(*), sum(size) FROM objects")).rows == [(count, sum(range(count + 1)))]


async def test_results_have_names_types_and_python_values(server: Server) -> None:
    result = await server.query(
        "SELECT 1 AS a, 'x' AS a, MAP {'k': 'v'} AS m, 1.50::DECIMAL(5, 2) AS d, NULL AS n, 2::HUGEINT AS h, [1] AS l"
    )
    assert result.columns == ["a", "a", "m", "d", "n", "h", "l"]
    assert result.types[:4] == ["INTEGER", "VARCHAR", "MAP(VARCHAR, VARCHAR)", "DECIMAL(5,2)"]
    assert [repr(value) for value in result.rows[0]] == [
        "1",
        "'x'",
        "{'k': 'v'}",
        "Decimal('1.50')",
        "None",
        "2",
        "[1]",
    ]


async def test_times_python_has_no_value_for_come_as_text(server: Server) -> None:
    result = await server.query(
        "SELECT DATE '0044-03-15 (BC)', 'infinity'::TIMESTAMP, TIMESTAMP_NS '2026-01-01 00:00:00.123456789'"
    )
    assert len(result.rows) == 1


async def test_a_result_of_many_batches_comes_whole_and_in_order(server: Server) -> None:
    result = await server.query("SELECT range FROM range(100000)")
    assert result.rows == [(number,) for number in range(100_000)]


async def test_an_empty_result_still_has_columns(server: Server) -> None:
    result = await server.query("SELECT key FROM objects")
    assert (result.columns, result.rows) == (["key"], [])


async def test_what_is_not_a_query_is_refused_and_the_next_one_runs(server: Server) -> None:
    with pytest.raises(QueryRefused, match="read only"):
        await server.query("DROP VIEW objects")
    with pytest.raises(QueryRefused):
        await server.query("SELECT entry FROM private.users")
    with pytest.raises(QueryFailed, match="nonsense"):
        await server.query("SELECT nonsense FROM objects")
    with pytest.raises(QueryFailed, match="Conversion"):
        await server.query("SELECT CAST(range::VARCHAR || 'x' AS INTEGER) FROM range(100000)")
    assert (await server.query("SELECT 1")).rows == [(1,)]


async def test_secrets_of_users_are_nowhere_to_be_seen(server: Server) -> None:
    user = server.history.create_user("wanda")
    for view in ("buckets", "journal", "objects", "parts", "uploads", "versions"):
        assert user.secret_key not in repr((await server.query(f"FROM {view}")).rows)


async def test_a_query_that_takes_too_long_is_stopped(server: Server) -> None:
    with pytest.raises(QueryStopped, match=r"0\.2 seconds"):
        await server.query(ENDLESS, 0.2)
    assert (await server.query("SELECT 1")).rows == [(1,)]


async def test_queries_go_on_while_others_run_and_while_the_log_is_applied(server: Server) -> None:
    slow = asyncio.create_task(server.query(ENDLESS, 1.0))
    bucket = server.history.create_bucket("b").id
    server.history.put(bucket, "k")
    assert (await server.query("SELECT count(*) FROM objects")).rows == [(1,)]
    assert not slow.done()
    with pytest.raises(QueryStopped):
        await slow


async def test_a_query_ends_when_its_client_goes(server: Server) -> None:
    for _ in range(8):  # more than run at a time: if they went on, the last query would wait for ever
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(str(server.directory / SOCKET))
        connected.sendall(pack(Sql(ENDLESS, 600.0)))
        await asyncio.sleep(0.02)
        connected.close()
    assert (await server.query("SELECT 1")).rows == [(1,)]


async def test_clients_that_do_not_read_cannot_hold_queries_open(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_STALLED", 0.1)
    idle = [socket.socket(socket.AF_UNIX) for _ in range(QUERIES)]
    for connected in idle:
        connected.connect(str(server.directory / SOCKET))
        connected.sendall(pack(Sql("SELECT range FROM range(1000000000)", 0.2)))
    assert (await server.query("SELECT 1")).rows == [(1,)]
    for connected in idle:
        connected.close()


@pytest.mark.parametrize("sent", [b"\xff\xff\xff\xff", b"\0\0\0\3abc", b"\0\0\0\1\xc0", b"\0"])
async def test_what_is_no_request_ends_that_connection_alone(server: Server, sent: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connected:
        connected.connect(str(server.directory / SOCKET))
        connected.sendall(sent)
        connected.shutdown(socket.SHUT_WR)
        assert await asyncio.to_thread(connected.recv, 1) == b""
    assert (await server.query("SELECT 1")).rows == [(1,)]


async def test_status_counts_rows_and_bytes(server: Server) -> None:
    bucket = server.history.create_bucket("b").id
    server.history.put(bucket, "k")
    position = await asyncio.to_thread(client.sync, server.directory)
    status = await asyncio.to_thread(client.status, server.directory)
    assert position == status.applied == status.end == server.history.position()
    assert status.rows["objects"] == 1 and status.rows["journal"] == 2
    assert status.sizes["catalog.duckdb"] > 0
    assert status.problem is None


async def test_the_socket_is_for_its_owner_alone_and_goes_with_the_server(tmp_path: Path) -> None:
    async with serving(Server(tmp_path, History())):
        assert stat.S_IMODE((tmp_path / SOCKET).stat().st_mode) & 0o077 == 0
    assert not (tmp_path / SOCKET).exists()


async def test_a_socket_left_behind_is_no_hindrance(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / SOCKET))
    async with serving(Server(tmp_path, History())) as server:
        assert (await server.query("SELECT 1")).rows == [(1,)]


async def test_a_folder_deeper_than_a_socket_address_is_long_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    async with serving(Server(deep, History())) as server:
        assert (await server.query("SELECT 1")).rows == [(1,)]


async def test_usage_of_days_that_are_over_is_written_beside_the_database(tmp_path: Path) -> None:
    server = Server(tmp_path, History())
    server.history.put(server.history.create_bucket("b").id, "k", 5)
    async with serving(server):
        await asyncio.to_thread(until_there, tmp_path / "usage" / "2025-10-09.parquet")
        assert (await server.query("SELECT max(day) = current_date FROM usage_daily")).rows == [(True,)]


async def test_stopping_stops_queries_and_applies_the_rest(tmp_path: Path) -> None:
    server = Server(tmp_path, History())
    async with serving(server):
        slow = asyncio.create_task(server.query(ENDLESS))
        await asyncio.sleep(0.2)
        server.history.create_bucket("b")
    with pytest.raises(QueryFailed, match="went away"):
        await slow
    with open_database(tmp_path) as database:
        assert database.execute("SELECT bucket FROM buckets").fetchall() == [("b",)]


async def test_a_query_ends_whose_client_goes_as_the_server_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB hears that it shall stop only while it is at work: it may have to be told again."""
    stop, told, heard = session.Query.stop, [], asyncio.Event()

    def stop_at_last(query: session.Query, why: str) -> None:
        told.append(why)
        heard.set()
        if len(told) > 3:
            stop(query, why)

    monkeypatch.setattr(session.Query, "stop", stop_at_last)
    async with serving(Server(tmp_path, History())) as server:
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(str(server.directory / SOCKET))
        connected.sendall(pack(Sql(ENDLESS, 600.0)))
        await asyncio.sleep(0.2)
        connected.close()
        await heard.wait()
    assert not (tmp_path / SOCKET).exists()


# The process itself, on a real log.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def test_the_process_applies_what_is_written_and_checkpoints_at_sigterm(folder: Path) -> None:
    catalog = Catalog.open(folder)
    with process(folder) as running:
        await write(catalog, 50)
        assert (await asyncio.to_thread(client.query, folder, "SELECT count(*) FROM objects")).rows == [(50,)]
        await write(catalog, 60)
        assert stat.S_IMODE((folder / "catalog.duckdb").stat().st_mode) == 0o600
        running.send_signal(signal.SIGTERM)
        assert running.wait() == 0
    await catalog.close()
    assert not (folder / "catalog.duckdb.wal").exists()
    with open_database(folder) as database:
        assert database.execute("SELECT count(*) FROM objects").fetchall() == [(60,)]


async def test_killed_at_any_moment_it_goes_on_where_it_was(folder: Path) -> None:
    catalog = Catalog.open(folder)
    for round_ in range(1, 4):
        with process(folder) as running:
            await write(catalog, 2000 * round_)
            await asyncio.to_thread(client.sync, folder)
            await write(catalog, 2000 * round_)
            asking = asyncio.create_task(asyncio.to_thread(client.sync, folder))
            await asyncio.sleep(0.03 * round_)
            running.kill()
            running.wait()
            with contextlib.suppress(CatalogError):
                await asking
    with process(folder) as running:
        found = await asyncio.to_thread(
            client.query, folder, "SELECT count(*), count(DISTINCT seq), max(seq) FROM journal"
        )
        assert found.rows == [(catalog.end().seq,) * 3]
        assert (await asyncio.to_thread(client.query, folder, "SELECT count(*) FROM objects")).rows == [(6000,)]
        running.terminate()
    await catalog.close()


def test_it_does_not_outlive_who_started_it(folder: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'catalog.database.process', sys.argv[1]], "
        "stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "assert child.stdout.readline() == b'ready\\n'\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    Catalog.open(folder).release()
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None and parent.stdin is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    with open_feed(Folder(folder)) as feed:  # waits until the database is free
        assert feed.position() is not None
    assert not (folder / SOCKET).exists()
    while alive(child):
        time.sleep(0.01)
    parent.stdin.close()
    parent.stdout.close()


async def test_the_index_is_made_anew_from_the_database(folder: Path) -> None:
    catalog = Catalog.open(folder)
    await write(catalog, 10)
    await catalog.close()
    client.sync(folder)
    (folder / "index" / "data.mdb").unlink()
    catalog = Catalog.open(folder)
    bucket = catalog.bucket("a-bucket")
    assert catalog.list_objects(bucket).keys == sorted(f"k{number}" for number in range(10))
    catalog.release()


async def test_queries_give_way_to_the_applying_of_changes_and_both_to_others(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    await write(catalog, 1)
    await catalog.close()
    with process(tmp_path) as running:
        database = threads(running.pid)  # DuckDB's own are there, and no query yet
        assert (await asyncio.to_thread(client.query, tmp_path, "SELECT count(*) FROM objects", 60.0)).rows == [(1,)]
        more = threads(running.pid) - database
        running.terminate()
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    applying, asking = max(ours, APPLYING), max(ours, ASKING)
    assert ours <= applying <= asking
    assert database[applying] and database[asking]
    assert more[asking]


def threads(process: int) -> Counter[int]:
    """How many there are of each niceness."""
    every = Path(f"/proc/{process}/task").glob("*/stat")
    return Counter(int(each.read_text().rpartition(") ")[2].split()[16]) for each in every)


ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def process(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "catalog.database.process", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        yield running


async def write(catalog: Catalog, count: int) -> None:
    buckets = catalog.buckets(None)
    bucket = buckets[0] if buckets else await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    draft = Version(0, "", 0, "5d41402abc4b2a76b9719d911017c592", 5, "STANDARD", "root", metadata={"v": "1"})
    await asyncio.gather(*(catalog.put(ORIGIN, bucket, f"k{number}", draft) for number in range(count)))


def until_there(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
