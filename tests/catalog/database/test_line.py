"""A real catalog process beside its server, which stands still, or is at work."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from catalog.database import client, line
from catalog.database.frames import KeepValidations, Validation
from catalog.database.line import connect, is_alive
from catalog.errors import CatalogUnusable
from conformance.server import Server, ducket, environment, running
from conformance.test_health import catalog_process

# Some seconds of work, in which nothing is said.
LONG = "SELECT count(*) FROM range(60000) a, range(20000) b WHERE (a.range * b.range) % 7 = 3"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("line") / "data", "--workers", "1") as server:
        server.client().create_bucket(Bucket="bucket")
        yield server


@contextmanager
def stopped(server: Server) -> Iterator[int]:
    process = catalog_process(server)
    os.kill(process, signal.SIGSTOP)
    try:
        yield process
    finally:
        os.kill(process, signal.SIGCONT)


COMMANDS = (
    ["sql", "SELECT 1"],
    ["status"],
    ["catalog", "duplicates", "bucket"],
    ["db", "schema"],
    ["db", "analyze"],
    ["view", "list"],
)


def test_every_command_gives_up_and_says_why(server: Server) -> None:
    pipe = subprocess.PIPE
    with stopped(server):
        begun = [
            subprocess.Popen(
                ducket(*words, "--data", str(server.data)), stdout=pipe, stderr=pipe, text=True, env=environment()
            )
            for words in COMMANDS
        ]
        ended = [(command.communicate(), command.returncode) for command in begun]
    for (printed, told), status in ended:
        assert (printed, status) == ("", 1)
        assert "the catalog process has given no sign of life for 15 seconds: " in told


def test_a_process_at_work_is_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(line, "QUIET", 0.05)
    monkeypatch.setattr(line, "is_alive", lambda directory: asked.append(is_alive(directory)) or asked[-1])
    ((count,),) = client.query(server.data, LONG).rows
    assert count > 10**8
    assert len(asked) > 2 and all(asked)


def test_one_that_goes_on_is_not_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = threading.Event()
    monkeypatch.setattr(line, "QUIET", 0.05)
    monkeypatch.setattr(line, "is_alive", lambda directory: asking.set() or is_alive(directory))
    with ThreadPoolExecutor(1) as pool:
        with stopped(server):
            answer = pool.submit(client.query, server.data, "SELECT 42")
            asking.wait()
        assert answer.result().rows == [(42,)]


def test_one_that_is_killed_while_it_stands_still_went_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = threading.Event()
    monkeypatch.setattr(line, "QUIET", 0.05)
    monkeypatch.setattr(line, "is_alive", lambda directory: asking.set() or is_alive(directory))
    with running(tmp_path / "data", "--workers", "1") as server, ThreadPoolExecutor(1) as pool:
        process = catalog_process(server)
        os.kill(process, signal.SIGSTOP)
        answer = pool.submit(client.query, server.data, "SELECT 42")
        asking.wait()
        os.kill(process, signal.SIGKILL)
        problem = answer.exception()
        assert client.query(server.data, "SELECT 42").rows == [(42,)]
    assert "went away" in str(problem)


def test_a_question_that_is_too_long_for_the_socket_is_given_up_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "QUIET", 0.05)
    monkeypatch.setattr(line, "SILENCE", 0.2)
    long = KeepValidations(1, None, [Validation("present", "passed", detail="x" * 1000)] * 3000)
    with client.reach(server.data) as reached, stopped(server), pytest.raises(CatalogUnusable, match="no sign of life"):
        reached.keep_validations(long)


def test_where_nobody_takes_those_who_come(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of those who wait for it is full: probes of a load balancer fill it in minutes."""
    monkeypatch.setattr(line, "SILENCE", 0.2)
    with stopped(server), ExitStack() as waiting:
        with pytest.raises(CatalogUnusable, match="no sign of life"):
            while True:
                connected = connect(server.data)
                assert connected is not None
                waiting.enter_context(connected)
        with pytest.raises(CatalogUnusable, match="no sign of life"):
            client.query(server.data, "SELECT 42")
        assert not is_alive(server.data)
    assert client.query(server.data, "SELECT 42").rows == [(42,)]


def test_nobody_there_is_nobody_who_stands_still(tmp_path: Path) -> None:
    assert connect(tmp_path) is None
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "catalog.sock"))
    assert connect(tmp_path) is None and is_alive(tmp_path)
