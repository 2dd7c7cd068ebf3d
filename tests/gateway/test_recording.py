from __future__ import annotations

import asyncio
import math
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from catalog.errors import NoBucket
from catalog.records import Bucket
from catalog.requests import Served, frames, waiting
from gateway import recording
from gateway.recording import BATCH, FLUSH_SECONDS, MOST_WAITING, SHORT, Recorder
from gateway.s3.model import operations
from tests.gateway.conftest import ALICE, request

decode = msgspec.msgpack.Decoder(list[Served]).decode


def find_bucket(name: str) -> Bucket:
    if name == "hers":
        return Bucket(7, "hers", ALICE.id, 0, "us-east-1")
    raise NoBucket(name)


@pytest.fixture
async def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path, find_bucket)


def add(recorder: Recorder, path: str = "/hers/key", version_id: str | None = None, **headers: str) -> None:
    asked = request("GET", path)
    asked.query |= {} if version_id is None else {"versionId": version_id}
    asked.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
    began = time.perf_counter()
    recorder.add(asked, operations["GetObject"], ALICE, None, 404, "NoSuchKey", 300, began - 0.002, began - 0.001)


def recorded(data: Path) -> list[Served]:
    return [row for path in waiting(data) for frame in frames(path) for row in decode(frame)]


async def test_a_request_is_a_row(recorder: Recorder, tmp_path: Path) -> None:
    before = time.time()
    add(recorder, "/hers/a%0Akey", "null", user_agent="me", referer="there")
    recorder.close()
    (row,) = recorded(tmp_path)
    assert before - 1 < row.time < time.time()
    assert row.total_time > 1.999  # what two readings of a clock are apart is not exact
    assert 0.999 < row.turn_around_time < row.total_time
    assert len(row.request_id) == 16
    unknown = {"time": 0.0, "total_time": 0.0, "turn_around_time": 0.0, "request_id": ""}
    assert row._replace(**unknown) == Served(
        **unknown,
        requester=ALICE.id,
        remote_ip="127.0.0.1",
        operation="GetObject",
        bucket_id=7,
        bucket="hers",
        key="a\nkey",
        version_id="null",
        http_status=404,
        error_code="NoSuchKey",
        bytes_sent=300,
        bytes_received=0,
        referer="there",
        user_agent="me",
    )


async def test_rows_are_written_before_long(recorder: Recorder, tmp_path: Path) -> None:
    for count in (1, 2):
        add(recorder)
        await asyncio.sleep(2 * FLUSH_SECONDS)
        assert len(recorded(tmp_path)) == count


async def test_many_rows_are_written_at_once(recorder: Recorder, tmp_path: Path) -> None:
    for _ in range(BATCH):
        add(recorder)
    assert len(recorded(tmp_path)) == BATCH


async def test_a_flood_is_dropped_and_counted_while_the_disk_is_slow(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What stands for the disk is let go at the end."""
    disk = threading.Event()
    append = recorder._batches._incoming.append

    def slow(body: bytes) -> None:
        disk.wait()
        append(body)

    monkeypatch.setattr(recorder._batches._incoming, "append", slow)
    monkeypatch.setattr(recording, "LARGE_BATCH", 10)
    monkeypatch.setattr(recorder._batches, "enough", 10)
    monkeypatch.setattr(recorder._batches, "_careful_until", math.inf)
    for _ in range(10 * (MOST_WAITING + 3)):
        add(recorder)
    assert (recorder._batches._handed, len(recorder._batches.rows), recorder._batches._dropped) == (MOST_WAITING, 0, 30)
    disk.set()
    recorder.close()
    assert len(recorded(tmp_path)) == 10 * MOST_WAITING
    assert [record.getMessage() for record in caplog.records] == [
        "10 requests in all were served without a record of them: the disk is too slow"
    ]


async def test_behind_a_slow_write_the_loop_writes_no_more(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    append = recorder._batches._incoming.append

    def noting(body: bytes) -> None:
        threads.append(threading.current_thread())
        append(body)

    monkeypatch.setattr(recorder._batches._incoming, "append", noting)
    for slow in (False, True, False):
        monkeypatch.setattr(recording, "SLOW", -1.0 if slow else math.inf)
        for _ in range(recorder._batches.enough):
            add(recorder)
    recorder.close()
    assert [thread is threading.main_thread() for thread in threads] == [True, True, False]
    assert len(recorded(tmp_path)) == 3 * BATCH


async def test_a_disk_that_refuses_costs_the_rows_only(
    recorder: Recorder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "requests").write_text("no folder")
    add(recorder)
    recorder.close()
    assert "1 requests in all were served without a record of them" in caplog.text


async def test_a_text_of_any_length_is_cut_short(recorder: Recorder, tmp_path: Path) -> None:
    long = "ü" * 60_000
    add(recorder, f"/{'b' * 60_000}", long, user_agent=long, referer=long)
    for row in recorder._batches.rows:
        assert all(len(value) <= SHORT for value in row if isinstance(value, str))
    recorder.close()
    (row,) = recorded(tmp_path)
    assert row.user_agent == row.referer == row.version_id == "ü" * SHORT
    assert row.bucket == "b" * SHORT


@pytest.mark.parametrize("path, expected", [("/hers", 7), ("/absent/key", 0), ("/", 0)])
async def test_a_bucket_that_was_not_reached_is_looked_up(
    recorder: Recorder, tmp_path: Path, path: str, expected: int
) -> None:
    add(recorder, path)
    recorder.close()
    assert [row.bucket_id for row in recorded(tmp_path)] == [expected]


async def test_one_that_is_no_request_has_a_row(recorder: Recorder, tmp_path: Path) -> None:
    asked: Any = request()
    recorder.add(asked, None, ALICE, None, 400, "", 0, 0.0, 0.0)
    recorder.close()
    (row,) = recorded(tmp_path)
    assert (row.operation, row.error_code, row.user_agent, row.bucket) == (None, None, None, None)
