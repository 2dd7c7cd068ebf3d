"""`ducket scrub` on folders with every kind of body, sound and damaged, beside a running server and without one."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import duckdb
import pytest

from conformance.scrubbing import BIG, copied, filled_folder, flip, largest_blob, scrub, summary
from conformance.server import Server, ducket, environment, run_command, running


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled_folder(tmp_path_factory.mktemp("scrub") / "data")


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    return copied(filled, tmp_path)


@contextmanager
def churning(server: Server) -> Iterator[None]:
    """Somebody overwrites and deletes, all the time."""
    stop, s3 = threading.Event(), server.client()

    def churn() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            for bucket in ("first", "second"):
                s3.put_object(Bucket=bucket, Key=f"churn{count % 7}", Body=os.urandom(100_000 if count % 3 else 10))
                s3.delete_object(Bucket=bucket, Key=f"churn{(count + 3) % 7}")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_sound_folder_has_nothing_wrong(data: Path) -> None:
    status, report = scrub(data)
    assert (status, report["findings"]) == (0, [])
    assert report["finished"] >= report["started"]
    # Of each bucket: 4 parts objects, 2 parts under way; and the 3 or 8 versions of the others.
    assert report["bodies"] == (3 + 4 + 2) + (8 + 4 + 2)
    assert scrub(data, "--bucket", "first")[1]["bodies"] == 9


def test_a_server_that_is_written_to_has_nothing_wrong(data: Path) -> None:
    with running(data, "--workers", "2") as server, churning(server):
        for _ in range(3):
            assert scrub(data)[1]["findings"] == []


@pytest.mark.parametrize("with_server", [False, True])
def test_a_flipped_bit_and_a_missing_body_are_found(data: Path, with_server: bool) -> None:
    log = (data / "log" / f"{1:016x}.log").read_bytes()
    flip(data / "log" / f"{1:016x}.log", log.index(b"rest"))
    damaged = largest_blob(data)
    flip(damaged, 4 << 20)
    next(path for path in (data / "blobs").rglob("*") if path.is_file() and path.read_bytes().startswith(BIG)).unlink()
    if with_server:
        # The record of that bit was checked when it was written; a start looks at the end of the log only.
        with running(data):
            status, report = scrub(data)
    else:
        status, report = scrub(data)
    assert status == 1
    found = {(each["kind"], each.get("part", 0)) for each in report["findings"]}
    assert {("etag", 1), ("etag", 2)} <= found
    assert any(kind == "missing" for kind, _ in found)
    (place,) = {each["detail"] for each in report["findings"] if each.get("part") == 1 and each["kind"] == "etag"}
    assert f"the bytes {4 << 20} to {(4 << 20) + 65_535} of the blob {damaged.name} are not" in place
    assert all("key" in each for each in report["findings"]), report


def test_a_body_that_was_cut_is_found(data: Path) -> None:
    os.truncate(largest_blob(data), 1000)
    assert {each["kind"] for each in scrub(data)[1]["findings"]} == {"size"}


def test_a_file_that_no_object_names_is_found_once_it_has_lain_there(data: Path) -> None:
    orphan = data / "blobs" / "ab" / ("ab" * 16)
    orphan.write_bytes(b"nobody's")
    assert scrub(data)[1]["findings"] == []
    os.utime(orphan, (0, 0))
    status, report = scrub(data)
    assert (status, [each["kind"] for each in report["findings"]]) == (1, ["orphan"])
    assert scrub(data, "--bucket", "first")[0] == 0


def test_a_database_that_says_something_else_is_found(data: Path) -> None:
    with duckdb.connect(str(data / "catalog.duckdb")) as connection:
        connection.execute("DELETE FROM private.objects WHERE key = 'small' AND is_latest")
        connection.execute("UPDATE private.objects SET size = 1 WHERE key LIKE 'it''s%' AND is_latest")
    status, report = scrub(data)
    assert status == 1
    assert {(each["kind"], each["bucket"], each.get("key", "")[:5]) for each in report["findings"]} == {
        (kind, bucket, key)
        for bucket in ("first", "second")
        for kind, key in (("database", "small"), ("database", "it's\n"), ("usage", ""))
    }


@pytest.mark.parametrize("with_server", [False, True])
def test_what_it_came_to_is_in_the_catalog(data: Path, with_server: bool) -> None:
    os.truncate(largest_blob(data), 1000)
    with running(data) if with_server else nullcontext():
        report = scrub(data)[1]
        found = summary(data)
        listed = json.loads(run_command("catalog", "validations", "--result", "failed", "--json", "--data", str(data)))
        ended = run_command("catalog", "validations", "--bucket", "first", "--since", "2999-01-01", "--data", str(data))
    # The object, its copy, and the part of an upload that shares its first part.
    (bucket,) = {each["bucket"] for each in report["findings"]}
    assert len(report["findings"]) == (3 if report["findings"][1]["key"] == "parts0" else 2)
    cut = len(report["findings"]) if bucket == "first" else 0
    assert found["first", "present"] == (9, 0) and found["second", "present"] == (14, 0)
    assert found["first", "size"] == (9 - cut, cut) and found["first", "etag"] == (9 - cut, 0)
    assert found["first", "agreement"] == (7, 0) and found["second", "agreement"] == (13, 0)
    for each, of_report in zip(reversed(listed["items"]), report["findings"], strict=True):
        assert (each["key"], each["version_id"], each["detail"]) == tuple(
            of_report.get(name) for name in ("key", "version_id", "detail")
        )
        assert (data / each["body"]).stat().st_size == 1000
    assert len(ended.splitlines()) == 2


@pytest.mark.parametrize("with_server", [False, True])
def test_what_it_came_to_outlives_the_database(data: Path, with_server: bool) -> None:
    with running(data) if with_server else nullcontext():
        scrub(data)
        before = summary(data)
    for file in data.glob("catalog.duckdb*"):
        file.unlink()
    with running(data) if with_server else nullcontext():
        assert summary(data) == before and len(before) > 10


def test_a_second_scrub_has_rows_of_its_own(data: Path) -> None:
    for scrubs in (1, 2):
        assert scrub(data)[0] == 0
        listed = json.loads(run_command("catalog", "validations", "--check", "size", "--json", "--data", str(data)))
        assert [each["bucket"] for each in listed["items"]] == ["second", "first"] * scrubs
        assert {each["result"] for each in listed["items"]} == {"passed"}


def test_a_scrub_that_was_broken_off_goes_on(data: Path) -> None:
    os.truncate(largest_blob(data), 1000)
    whole = scrub(data)[1]
    command = ducket("scrub", "--data", str(data), "--rate", "1")
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment()) as process:
        report = whole
        while report["started"] == whole["started"] or not report["at_key"]:
            time.sleep(0.2)
            report = json.loads((data / "scrub.json").read_text())
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        if process.poll() is None:  # DuckDB was asked just then, and took the signal for itself
            process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert b"--resume" in process.stderr.read()
    assert process.returncode == 130
    broken_off = json.loads((data / "scrub.json").read_text())
    assert broken_off["at_key"] and not broken_off["finished"]
    report = scrub(data, "--resume")[1]
    assert report["started"] == broken_off["started"]
    assert report["findings"] == whole["findings"]
    found = json.loads(run_command("catalog", "validations", "--result", "failed", "--json", "--data", str(data)))
    assert len(found["items"]) == len(whole["findings"]) * 2
    done = subprocess.run(ducket("scrub", "--resume", "--data", str(data)), capture_output=True, env=environment())
    assert (done.returncode, b"no such scrub" in done.stderr) == (1, True)


def test_the_rate_is_kept(data: Path) -> None:
    began = time.monotonic()
    report = scrub(data, "--bucket", "first", "--rate", "20")[1]
    assert time.monotonic() - began > report["bytes"] / 20e6


def test_the_report_is_text_too(data: Path) -> None:
    done = subprocess.run(ducket("scrub", "--data", str(data)), capture_output=True, text=True, env=environment())
    assert done.stdout.endswith(": nothing wrong\n")
    os.truncate(largest_blob(data), 1000)
    done = subprocess.run(ducket("scrub", "--data", str(data)), capture_output=True, text=True, env=environment())
    assert done.returncode == 1
    assert "size: " in done.stdout and "1000 bytes of 5242880 are there" in done.stdout


def test_at_a_terminal_a_bar_says_how_far_it_is(data: Path) -> None:
    """In one line, which is empty again at the end; where errors go to a file there is none."""
    shown, terminal = pty.openpty()
    command = ducket("scrub", "--data", str(data), "--rate", "20")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, env=environment(), check=True)
    os.close(terminal)
    said = os.read(shown, 65_536).decode()
    os.close(shown)
    assert done.stdout.endswith(b": nothing wrong\n")
    *bars, last = said.split("\r\x1b[K")[1:]
    drawn = [re.fullmatch(r"\[(#*) *\] +(\d+)% [\d,]+ bodies, .+, 0 wrong, at (first|second)?", bar) for bar in bars]
    assert last == "" and len(drawn) > 1 and None not in drawn
    percent = [int(bar[2]) for bar in drawn if bar is not None]
    assert percent == sorted(percent) and percent[-1] > percent[0]
    assert subprocess.run(command, capture_output=True, env=environment(), check=True).stderr == b""
