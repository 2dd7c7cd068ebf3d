"""Several workers on one catalog: whoever serves a request, and whoever of them dies, S3 is the same.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from conformance.raw import Answer, Connection, Raw
from conformance.server import ROOT, Server, running
from conformance.workers import serving, until, workers

WORKERS = 3
CLIENTS = 12

# As a module that Python loads by itself: the first worker that syncs while the trap is there stays in its commit.
TRAP = """
import os, sys, time
sync, trap = os.fdatasync, {trap!r}
def fdatasync(file):
    try:
        os.rename(trap, trap + ".sprung")
    except FileNotFoundError:
        return sync(file)
    os.symlink(str(os.getpid()), trap + ".caught")
    time.sleep(3600)
if "gateway.worker" in sys.orig_argv:
    os.fdatasync = fdatasync
"""


@contextmanager
def clients(server: Server) -> Iterator[list[Connection]]:
    """Connections that stay open; all workers have some of them."""
    raw = Raw(server)
    with ExitStack() as stack:
        lines: list[Connection] = []
        while len(lines) < CLIENTS or len(serving(server)) < WORKERS:
            lines.append(stack.enter_context(raw.connect()))
            assert lines[-1].exchange(raw.prepare("GET", "/")).status == 200
        yield lines


def all_at_once(lines: list[Connection], work: Callable[[int, Connection], list[Answer]]) -> list[list[Answer]]:
    start = threading.Barrier(len(lines))

    def run(number: int) -> list[Answer]:
        start.wait()
        return work(number, lines[number])

    with ThreadPoolExecutor(len(lines)) as pool:
        return list(pool.map(run, range(len(lines))))


def test_of_many_who_create_a_key_one_succeeds(tmp_path: Path) -> None:
    keys = 40
    with running(tmp_path / "data", "--workers", f"{WORKERS}") as server, clients(server) as lines:
        raw = Raw(server)
        assert raw.put("/race").status == 200

        def create(number: int, line: Connection) -> list[Answer]:
            only = {"If-None-Match": "*"}
            body = f"by {number}".encode()
            return [line.exchange(raw.prepare("PUT", f"/race/{key}", headers=only, body=body)) for key in range(keys)]

        answers = all_at_once(lines, create)
        assert len(serving(server)) == WORKERS
        for key in range(keys):
            statuses = [each[key].status for each in answers]
            assert sorted(set(statuses)) == [200, 412]
            assert statuses.count(200) == 1
            assert raw.get(f"/race/{key}").body == f"by {statuses.index(200)}".encode()


def test_what_is_counted_with_if_match_is_counted_right(tmp_path: Path) -> None:
    each = 15
    with running(tmp_path / "data", "--workers", f"{WORKERS}") as server, clients(server) as lines:
        raw = Raw(server)
        assert raw.put("/race").status == 200
        assert raw.put("/race/count", b"0").status == 200
        refused = []

        def count(number: int, line: Connection) -> list[Answer]:
            done: list[Answer] = []
            while len(done) < each:
                found = line.exchange(raw.prepare("GET", "/race/count"))
                match = {"If-Match": found.header("ETag") or ""}
                body = str(int(found.body) + 1).encode()
                answer = line.exchange(raw.prepare("PUT", "/race/count", headers=match, body=body))
                (done if answer.status == 200 else refused).append(answer)
            return done

        done = all_at_once(lines, count)
        assert len(serving(server)) == WORKERS
        assert raw.get("/race/count").body == str(sum(map(len, done))).encode()
        assert {answer.status for answer in refused} == {412}


def test_a_worker_killed_within_a_commit_leaves_nothing_behind(tmp_path: Path) -> None:
    """It dies with LMDB's lock in its hands and a record in the log that nobody has synced."""
    trap = tmp_path / "trap"
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "sitecustomize.py").write_text(TRAP.format(trap=str(trap)))
    modules = {"PYTHONPATH": f"{tmp_path / 'modules'}:{ROOT}"}
    with running(tmp_path / "data", "--workers", f"{WORKERS}", env=modules) as server, clients(server) as lines:
        raw = Raw(server)
        assert raw.put("/bucket").status == 200
        before = workers(server)
        acknowledged: list[str] = []
        unknown: list[str] = []

        def write(number: int, line: Connection) -> list[Answer]:
            for count in range(30):
                key = f"{number}/{count}"
                try:
                    assert line.exchange(raw.prepare("PUT", f"/bucket/{key}", body=key.encode())).status == 200
                except OSError:
                    unknown.append(key)
                    break
                acknowledged.append(key)
                if number == 0 and count == 3:
                    trap.touch()
            return []

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(all_at_once, lines, write)
            until(lambda: (tmp_path / "trap.caught").is_symlink() or writing.done())
            caught = int((tmp_path / "trap.caught").readlink().name)
            os.kill(caught, signal.SIGKILL)
            writing.result()
        assert caught in before
        until(lambda: len(workers(server)) == WORKERS)
        assert not workers(server) & {caught}
        assert unknown
        assert len(acknowledged) > len(lines) * 4
        for key in acknowledged:
            assert raw.get(f"/bucket/{key}").body == key.encode()
        for key in unknown:
            found = raw.get(f"/bucket/{key}")
            assert found.status == 404 or found.body == key.encode()
        with clients(server):
            assert len(serving(server)) == WORKERS
        s3 = server.client()
        listed = {
            entry["Key"]
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bucket")
            for entry in page["Contents"]
        }
        assert set(acknowledged) <= listed <= {*acknowledged, *unknown}
    with running(tmp_path / "data") as server:
        again = Raw(server)
        assert [key for key in acknowledged if again.get(f"/bucket/{key}").body != key.encode()] == []
