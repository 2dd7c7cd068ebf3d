"""Every kind of row against real servers: a complete S3 in this process, and the bare apps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from bench import servers
from bench.batches import Tree
from bench.load import LoadFailed
from bench.rows import MIB, Row
from bench.targets import BareTarget, Endpoint, S3Target

WORKS = ["HEAD", "GET", "PUT", "PUT-SDK", "DELETE", "LIST-1000", "LIST-FOLDER"]
TREE = Tree(count=60, page=40)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    server = ThreadedMotoServer(port=0)
    server.start()
    _, port = server.get_host_and_port()
    yield Endpoint("moto", "127.0.0.1", port, "key", "secret")
    server.stop()


@pytest.mark.parametrize("work", WORKS)
def test_rows_measure_an_endpoint_and_leave_nothing(endpoint: Endpoint, work: str) -> None:
    rows = [Row(work, 2, "empty")]
    target = S3Target(endpoint, f"bench-{work.lower()}", TREE)
    target.prepare(rows)
    target.rates[rows[0].name] = 100.0  # moto is slow: no round to warm up
    measured = target.measure(rows[0], 0.1)
    assert measured.done > 0
    assert not measured.errors
    target.empty()  # a bucket that is not empty cannot be deleted


def test_large_rows_measure_an_endpoint(endpoint: Endpoint) -> None:
    rows = [Row("PUT", 2, "store", MIB), Row("GET", 2, "stream", MIB)]
    target = S3Target(endpoint, "bench-large", TREE)
    target.prepare(rows)
    assert all(target.measure(row, 0.1).done and not target.measure(row, 0.1).errors for row in rows)
    target.empty()


def test_wrong_contents_are_noticed(endpoint: Endpoint) -> None:
    target = S3Target(endpoint, "bench-wrong", TREE)
    target.prepare([Row("HEAD", 1, "empty")])
    target.tree = Tree(count=60, size=100, page=40)
    with pytest.raises(LoadFailed, match="another body"):
        target.check()


@pytest.mark.parametrize(
    "row",
    [
        *(Row(work, 2, "read" if work.startswith("PUT") else "empty") for work in WORKS),
        Row("PUT", 2, "store", MIB),
        Row("GET", 2, "stream", MIB),
    ],
    ids=lambda row: f"{row.work} {row.size}",
)
def test_bare_apps_take_the_same_requests(row: Row, tmp_path: Path) -> None:
    with servers.bare(row.bare, tmp_path, row.size, os.sched_getaffinity(0)) as (port, process):
        measured = BareTarget(port, process, tmp_path).measure(row, 0.1)
    assert measured.done > 0
    assert not measured.errors


def test_a_server_that_does_not_start_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(LoadFailed, match="does not listen"),
        servers.ducket(tmp_path, 1, os.sched_getaffinity(0), ["false"]),
    ):
        pass


def test_the_load_keeps_off_the_servers_cores() -> None:
    on, load = servers.cores()
    assert len(on) == 1
    assert not on & load or len(os.sched_getaffinity(0)) == 1
