"""A process under a supervisor, from its start to its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.child import Child, StartFailed

# Says what it was given, then ready; ends well when it is told to retire.
MODULE = """
import os, signal, socket, sys
signal.signal(signal.SIGHUP, lambda *_: os._exit(0))
given = sys.stdin.readline().strip()
if given == "fail":
    sys.exit(3)
for number in sys.argv[1:]:
    socket.socket(fileno=int(number)).getsockname()
open(given, "a").write(f"{os.getpid()}\\n")
print("ready", flush=True)
signal.pause()
"""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Child]:
    (tmp_path / "patient.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(given: str = str(tmp_path / "lives"), sockets: tuple[socket.socket, ...] = ()) -> Child:
        return Child("patient", ["patient"], f"{given}\n".encode(), sockets)

    return make


@asynccontextmanager
async def started(child: Child) -> AsyncIterator[Child]:
    await child.start()
    try:
        yield child
    finally:
        await child.stop()


async def test_a_prepared_process_is_the_one_that_starts(make: Callable[..., Child], tmp_path: Path) -> None:
    child = make()
    await child.prepare()
    prepared = child.process
    assert prepared is not None
    async with started(child):
        assert child.process is prepared
        assert lives(tmp_path) == [prepared.pid]


async def test_one_that_died_before_is_made_anew(make: Callable[..., Child], tmp_path: Path) -> None:
    child = make()
    await child.prepare()
    assert child.process is not None
    child.process.kill()
    await child.process.wait()
    async with started(child):
        assert lives(tmp_path) == [child.process.pid]


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.01)


def lives(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "lives").read_text().splitlines()]


async def test_it_has_started_when_it_says_so_and_has_the_sockets(make: Callable[..., Child], tmp_path: Path) -> None:
    with socket.socket() as one, socket.socket() as other:
        async with started(make(sockets=(one, other))) as child:
            assert child.process is not None
            assert lives(tmp_path) == [child.process.pid]
    assert child.process.returncode == -signal.SIGTERM


async def test_ctrl_c_is_not_for_it_but_its_session_is_ours(make: Callable[..., Child]) -> None:
    async with started(make()) as child:
        assert child.process is not None
        assert os.getpgid(child.process.pid) == child.process.pid
        assert os.getsid(child.process.pid) == os.getsid(0)


async def test_one_that_ends_before_it_is_ready_did_not_start(make: Callable[..., Child]) -> None:
    with pytest.raises(StartFailed, match=r"patient did not start \(exit status 3\)"):
        await make("fail").start()


async def test_one_that_is_kept_lives_again(make: Callable[..., Child], tmp_path: Path) -> None:
    async with started(make()) as child:
        child.keep()
        (first,) = lives(tmp_path)
        os.kill(first, signal.SIGKILL)
        await asyncio.to_thread(until, lambda: len(lives(tmp_path)) == 2)
        assert child.process is not None
        assert lives(tmp_path) == [first, child.process.pid]


async def test_one_that_retires_ends_for_good(make: Callable[..., Child], tmp_path: Path) -> None:
    gone: asyncio.Queue[Child] = asyncio.Queue()
    async with started(make()) as child:
        child.keep()
        child.retire(gone.put_nowait)
        assert await gone.get() is child
        assert child.process is not None
        assert child.process.returncode == 0
    assert len(lives(tmp_path)) == 1


async def test_one_that_cannot_be_started_is_tried_again(make: Callable[..., Child], tmp_path: Path) -> None:
    async with started(make()) as child:
        command, child.command = child.command, [str(tmp_path / "gone")]
        child.keep()
        os.kill(lives(tmp_path)[0], signal.SIGKILL)
        await asyncio.sleep(0.3)
        child.command = command
        await asyncio.to_thread(until, lambda: len(lives(tmp_path)) == 2)
