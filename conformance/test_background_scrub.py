"""The scrub that a server runs by itself, slowly."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.raw import Raw
from conformance.scrubbing import copied, filled_folder, flip, largest_blob, scrub, summary
from conformance.server import Server, run_command, running
from conformance.workers import until, workers
from gateway.doctor import examine
from gateway.scrub.report import BACKGROUND, last
from gateway.scrubber import DAY

# Begins at once, not after a minute.
PROGRAM = "import sys; from gateway import cli, scrubber; scrubber.SETTLE = 0.1; sys.exit(cli.main())"
SERVE = [sys.executable, "-c", PROGRAM, "serve"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled_folder(tmp_path_factory.mktemp("background") / "data")


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    return copied(filled, tmp_path)


def reports(data: Path) -> Iterator[dict[str, Any]]:
    """As they come."""
    path = data / "scrub-background.json"
    while True:
        if path.exists():
            yield json.loads(path.read_text())
        time.sleep(0.1)


def finished(data: Path) -> dict[str, Any]:
    return next(report for report in reports(data) if report["finished"])


def scrubbing(data: Path) -> int | None:
    """The process that does it."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"gateway.scrub.background" in words and str(data).encode() in words:
            return int(path.parent.name)
    return None


def given_way(server: Server) -> int:
    """The process, once it has."""
    while (process := scrubbing(server.data)) is None or not os.getpriority(os.PRIO_PROCESS, process):
        time.sleep(0.05)
    return process


def test_what_it_finds_is_in_the_log_in_the_catalog_and_in_the_status(data: Path) -> None:
    flip(largest_blob(data), 1000)
    with running(data, "--scrub-rate", "1000", program=SERVE) as server:
        report = finished(data)
        status = run_command("status", "--data", str(data))
        failed = sum(count for _, count in summary(data).values())
        ready, degraded = health(server)
    wrong = len(report["findings"])
    assert wrong >= 2 and {each["kind"] for each in report["findings"]} <= {"etag", "checksum"}
    assert failed == wrong
    assert f"{wrong} wrong" in next(line for line in status.splitlines() if "scrub of the server" in line)
    assert ready and degraded is not None and degraded.startswith(f"{wrong} things are wrong")
    assert degraded in status
    assert f"bodies: {degraded}" in [f"{word.about}: {word.says.partition(': `ducket')[0]}" for word in examine(data)]
    assert "nanobind" not in data.with_suffix(".log").read_text()
    assert told(data, "error") == report["findings"]
    assert scrub(data)[1]["findings"] == report["findings"]


def test_it_repairs_where_it_is_told_to(data: Path) -> None:
    """Another body has the same bytes."""
    blob = largest_blob(data)
    sound = blob.read_bytes()
    flip(blob, 1000)
    with running(data, "--scrub-rate", "1000", program=SERVE):
        before = finished(data)
    assert blob.read_bytes() != sound
    make_due(data)
    with running(data, "--scrub-rate", "1000", "--scrub-repair", "yes", program=SERVE) as server:
        assert health(server)[1] is not None  # by the scrub before, until this one is through
        report = next(each for each in reports(data) if each["finished"] and each["started"] > before["started"])
        assert blob.read_bytes() == sound
        assert health(server) == (True, None)
    assert [each["result"] for each in report["findings"]] == ["repaired"] * len(report["findings"])
    assert 0 < len(report["findings"]) <= len(before["findings"])
    assert told(data, "warning") == report["findings"]
    assert scrub(data)[1]["findings"] == []


def make_due(data: Path) -> None:
    """The last one began so long ago that another is due."""
    report = last(data, BACKGROUND)
    assert report is not None
    report.started -= 8 * DAY
    report.save(data, BACKGROUND)


def told(data: Path, level: str) -> list[Any]:
    """What the server's log tells of the scrub's findings."""
    lines = [json.loads(line) for line in data.with_suffix(".log").read_text().splitlines() if line.startswith("{")]
    texts = [each["message"].partition("scrub: ")[2] for each in lines if each["level"] == level]
    return [json.loads(text) for text in texts if text]


def health(server: Server) -> tuple[bool, str | None]:
    answer = json.loads(Raw(server).send(Raw(server).plain("GET", "/-/health/ready")).body)
    return answer["ready"], answer["degraded"]


def test_it_goes_on_after_a_restart(data: Path) -> None:
    with running(data, "--scrub-rate", "10", program=SERVE):
        begun = next(report for report in reports(data) if report["bytes"])
    with running(data, "--scrub-rate", "1000", program=SERVE):
        report = finished(data)
    assert report["started"] == begun["started"] and report["findings"] == []
    assert report["bodies"] >= scrub(data)[1]["bodies"]


def test_it_gives_way_and_ends_with_its_server(data: Path) -> None:
    with running(data, "--scrub-rate", "1", program=SERVE) as server:
        assert os.getpriority(os.PRIO_PROCESS, given_way(server)) > 5  # to the catalog process too
    assert scrubbing(data) is None


def test_it_does_not_outlive_a_server_that_is_killed(data: Path) -> None:
    with running(data, "--scrub-rate", "1", program=SERVE) as server:
        process = given_way(server)
        server.process.kill()
        server.process.wait()
        while Path(f"/proc/{process}").exists():
            time.sleep(0.05)


def test_it_has_the_keys_that_the_server_was_given(tmp_path: Path) -> None:
    first, second = (base64.b64encode(bytes([value]) * 32).decode() for value in (1, 2))
    config, sealed = tmp_path / "ducket.toml", {"ServerSideEncryption": "AES256"}
    serve = ("--config", str(config), "--scrub-rate", "1000")
    config.write_text(f'encryption_key = "{first}"\n')
    with running(tmp_path / "data", *serve, program=SERVE) as server:
        s3 = server.client()
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="first", Body=b"a" * 100_000, **sealed)
        config.write_text(f'encryption_key = "{second},{first}"\n')
        renew(server)
        s3.put_object(Bucket="bucket", Key="second", Body=b"b" * 100_000, **sealed)
        assert s3.get_object(Bucket="bucket", Key="first")["Body"].read() == b"a" * 100_000
        before = finished(server.data)
    assert len((tmp_path / "data" / "encryption.used").read_text().split()) == 2
    make_due(server.data)
    with running(tmp_path / "data", *serve, program=SERVE) as server:
        after = next(each for each in reports(server.data) if each["finished"] and each["started"] > before["started"])
    assert (after["findings"], after["bodies"]) == ([], 2)


def renew(server: Server) -> None:
    former = workers(server)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: not workers(server) & former)
