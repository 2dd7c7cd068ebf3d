from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from gateway.rot import FOLDER, Rotten
from gateway.scrub import report as reports
from gateway.scrub.report import BACKGROUND, FAILED, REPAIRED, Finding, Report, condition, latest


def finding(result: str = FAILED) -> Finding:
    return Finding("etag", "not what was written", "bucket", "key", result=result)


def degraded(data: Path) -> str | None:
    return condition(data).degraded


def note(data: Path, body: str) -> None:
    found = Rotten("bucket", "secret key", "v", body, "the detail")
    (data / FOLDER).mkdir(exist_ok=True)
    (data / FOLDER / found.file).write_bytes(msgspec.json.encode(found))


def test_a_folder_is_degraded_by_what_the_latest_scrub_left_wrong(tmp_path: Path) -> None:
    assert degraded(tmp_path) is None
    Report(1.0, finished=2.0, findings=[finding(), finding(REPAIRED)]).save(tmp_path, BACKGROUND)
    assert (degraded(tmp_path) or "").startswith("1 things are wrong")
    Report(3.0, only="other", finished=4.0).save(tmp_path)
    assert degraded(tmp_path) is not None  # a scrub of one bucket says nothing of the others
    Report(5.0, finished=6.0, findings=[finding(REPAIRED)]).save(tmp_path)
    assert degraded(tmp_path) is None


def test_what_was_wrong_holds_until_another_scrub_is_through(tmp_path: Path) -> None:
    Report(1.0, finished=2.0, findings=[finding()] * 3).save(tmp_path, BACKGROUND)
    report = Report.begun(tmp_path)
    report.found([finding()])
    assert (report.wrong, report.standing) == (1, 3)
    report.save(tmp_path, BACKGROUND)
    found = latest(tmp_path)
    assert found is not None and found.standing == 3
    report.finished = report.started + 1
    assert report.standing == 1


def test_what_readers_found_is_told_beside_what_a_scrub_knows(tmp_path: Path) -> None:
    for number in range(5):
        note(tmp_path, f"blobs/{number}")
    told = degraded(tmp_path) or ""
    assert told.startswith("5 bodies were found damaged when they were read (blobs/")
    assert told.endswith(" and 2 others)") and "bucket" not in told and "key" not in told
    Report(1.0, finished=2.0, findings=[Finding("etag", "", body=f"blobs/{at}") for at in range(4)]).save(tmp_path)
    told = degraded(tmp_path) or ""
    assert told.startswith("4 things") and told.endswith("; 1 bodies were found damaged when they were read (blobs/4)")


def test_reports_are_read_again_only_where_they_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(reports, "latest", lambda data: looked.append(data) or latest(data))
    Report(1.0, finished=2.0, findings=[finding()]).save(tmp_path)
    times = (tmp_path / "scrub.json").stat()
    said = [condition(tmp_path) for _ in range(3)]
    assert looked == [tmp_path] and len(set(map(id, said))) == 1
    Report(1.0, finished=2.0, findings=[finding(REPAIRED)]).save(tmp_path)
    os.utime(tmp_path / "scrub.json", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert condition(tmp_path).degraded is None
    note(tmp_path, "blobs/1")
    assert condition(tmp_path).degraded
