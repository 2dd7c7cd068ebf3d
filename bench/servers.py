"""Starts and stops what is measured, held to its cores while the load stays on others."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.load import LoadFailed
from bench.targets import Endpoint

READY_SECONDS = 30.0
PAUSE = 0.5
ACCESS_KEY, SECRET_KEY = "BENCHACCESSKEY", "bench-secret-key"


def cores(workers: int = 1) -> tuple[set[int], set[int]]:
    """Cores for the server and for the load: apart where there are enough of them."""
    every = sorted(os.sched_getaffinity(0))
    server = set(every[:workers])
    return server, set(every) - server or {every[-1]}


@contextmanager
def alone() -> Iterator[None]:
    """Waits for other runs on this machine to end: side by side each would measure the other."""
    with (Path(tempfile.gettempdir()) / "ducket-bench.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another run to end", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def ducket(
    data: Path, workers: int, on: set[int], command: Sequence[str], compaction_rate: int | None = None
) -> Iterator[Endpoint]:
    """A gateway of this project on the folder `data`."""
    port = free_port()
    arguments = [*command, "serve", "--data", f"{data}", "--port", f"{port}", "--workers", f"{workers}"]
    if compaction_rate is not None:
        arguments += ["--compaction-rate", f"{compaction_rate}"]
    keys = {"DUCKET_ROOT_ACCESS_KEY": ACCESS_KEY, "DUCKET_ROOT_SECRET_KEY": SECRET_KEY}
    with process(arguments, port, on, keys) as pid:
        yield Endpoint("ducket", "127.0.0.1", port, ACCESS_KEY, SECRET_KEY, process=pid)


@contextmanager
def bare(kind: str, folder: Path, size: int, on: set[int]) -> Iterator[tuple[int, int]]:
    """The port and the process of a bare app."""
    port = free_port()
    arguments = [sys.executable, "-m", "bench.bare", kind, "--port", f"{port}", "--folder", f"{folder}"]
    with process([*arguments, "--size", f"{size}"], port, on, {}) as pid:
        yield port, pid


@contextmanager
def process(command: Sequence[str], port: int, on: set[int], environment: Mapping[str, str]) -> Iterator[int]:
    """Runs until the block ends, from the time its port is open; fails if it ends by itself before that."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, on)  # a child, and every thread and child of it, starts on its parent's cores
    try:
        child = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    finally:
        os.sched_setaffinity(0, ours)
    try:
        _wait_until_open(child, port)
        try:
            yield child.pid
        finally:
            if child.poll() is not None:
                raise LoadFailed(f"{shlex.join(command)} ended by itself with status {child.returncode}")
    finally:
        child.terminate()
        try:
            child.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_until_open(child: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if child.poll() is not None or time.monotonic() > until:
                raise LoadFailed(f"{child.args!r} does not listen on {port}") from None
            time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """An empty folder, gone afterwards, on the disk that is to be measured."""
    path = parent / f"bench-{os.getpid()}"
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path)
