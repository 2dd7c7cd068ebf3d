"""A disk that is full for real: what is refused was not done, nothing acknowledged goes, and with room all goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catalog.database.client import query, status
from catalog.errors import QueryFailed
from conformance.crash.client import Client
from conformance.crash.points import kill_family
from conformance.crash.small_disk import SmallDisk, small_disk
from conformance.raw import Raw
from conformance.server import Server, ducket, running
from gateway.doctor import examine

BUCKET = "full"
SIZE = 40 << 20
FULL = (507, "InsufficientStorage")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", SIZE) as disk:
        yield disk


@contextmanager
def serving(disk: SmallDisk) -> Iterator[Server]:
    program = [*disk.enter, *ducket("serve")]
    with running(disk.path / "data", "--workers", "1", program=program) as server:
        yield server


def begin(server: Server) -> dict[str, bytes]:
    client = Client(server)
    client.create_bucket(BUCKET)
    kept = {f"before {number}": os.urandom(30_000) for number in range(10)} | {"large": os.urandom(300_000)}
    for key, body in kept.items():
        client.put(BUCKET, key, body)
    return kept


def put_until_refused(server: Server, kept: dict[str, bytes], size: int) -> None:
    raw = Raw(server)
    while True:
        key, body = f"more {len(kept)}", os.urandom(size)
        answer = raw.put(f"/{BUCKET}/{key}", body)
        if answer.status != 200:
            assert (answer.status, answer.code) == FULL
            return
        kept[key] = body


def check(server: Server, kept: dict[str, bytes]) -> None:
    raw = Raw(server)
    assert [each.key for each in Client(server).list_objects(BUCKET)] == sorted(kept)
    for key, body in kept.items():
        assert raw.get(f"/{BUCKET}/{key}").body == body


def delete(server: Server, key: str) -> tuple[int, str | None]:
    raw = Raw(server)
    answer = raw.send(raw.prepare("DELETE", f"/{BUCKET}/{key}"))
    return answer.status, answer.code if answer.body else None


def go_on(server: Server, disk: SmallDisk, kept: dict[str, bytes]) -> None:
    """With room again, and nobody starting anything anew."""
    disk.empty()
    raw = Raw(server)
    for size in (1, 30_000, 3_000_000):
        kept[f"after {size}"] = os.urandom(size)
        assert raw.put(f"/{BUCKET}/after {size}", kept[f"after {size}"]).status == 200
    check(server, kept)
    data = disk.seen / "data"
    while status(data).problem is not None:
        pass
    assert query(data, "SELECT key FROM objects ORDER BY key").rows == [(key,) for key in sorted(kept)]


def check_told(server: Server, data: Path) -> None:
    raw = Raw(server)
    answer = raw.send(raw.plain("GET", "/-/health/ready"))
    assert (answer.status, json.loads(answer.body)["problem"]) == (503, "the disk is full")
    assert any(word.about == "disk" and word.level == "wrong" for word in examine(data))


def test_for_a_body(disk: SmallDisk) -> None:
    with serving(disk) as server:
        kept = begin(server)
        disk.fill(left=4 << 20)
        answer = Raw(server).put(f"/{BUCKET}/too large", bytes(8 << 20))
        assert (answer.status, answer.code) == FULL
        check_told(server, disk.seen / "data")
        assert not list((disk.seen / "data" / "tmp").iterdir())
        assert delete(server, "large") == (204, None)
        del kept["large"]
        check(server, kept)
        go_on(server, disk, kept)


def test_for_the_log(disk: SmallDisk) -> None:
    """There is room left in it for what comes without a body: what is deleted makes room again."""
    with serving(disk) as server:
        kept = begin(server)
        disk.fill(left=1 << 20)
        put_until_refused(server, kept, 30_000)
        free = disk.free
        for key in ("large", "before 1"):
            assert delete(server, key) == (204, None)
            del kept[key]
        check(server, kept)
        assert query(disk.seen / "data", "SELECT count(*) FROM objects").rows == [(len(kept),)]
        while disk.free <= free:
            pass
        go_on(server, disk, kept)
    log = (disk.path / "data.log").read_text()
    assert [log.count(f"the catalog process {what} lay out the next segment") for what in ("cannot", "can")] == [1, 1]
    assert "Traceback" not in log


@pytest.mark.parametrize("killed", [False, True])
def test_to_the_last_byte(disk: SmallDisk, killed: bool) -> None:
    """For index and database, too: nothing can be written then, not even that something is deleted."""
    with serving(disk) as server:
        kept = begin(server)
        disk.fill()
        put_until_refused(server, kept, 1000)
        assert delete(server, "before 1") == FULL
        check(server, kept)
        with pytest.raises(QueryFailed, match="No space left on device"):
            query(disk.seen / "data", "SELECT count(*) FROM objects")
        if not killed:
            go_on(server, disk, kept)
            return
        kill_family(server.process.pid)
        server.process.wait()
    with pytest.raises(RuntimeError, match="there is no room on the disk") as refusal, serving(disk):
        pass
    assert "Traceback" not in str(refusal.value)
    disk.empty()
    with serving(disk) as server:
        check(server, kept)
        disk.fill(left=4 << 20)
        go_on(server, disk, kept)
