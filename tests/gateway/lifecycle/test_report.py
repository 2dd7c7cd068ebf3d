from __future__ import annotations

from pathlib import Path

import pytest

from catalog.lifecycle import ABORT, EXPIRE
from gateway.lifecycle.report import FILE, Report, last


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    assert last(tmp_path) is None
    report = Report(1.0, at_bucket="photos")
    report.count(EXPIRE, 5)
    report.count(EXPIRE, 6)
    report.save(tmp_path)
    assert last(tmp_path) == report
    assert (report.done, report.bytes) == ({EXPIRE: 2}, 11)
    (tmp_path / FILE).write_text("{")
    assert last(tmp_path) is None


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (Report(0.0), "nothing was due"),
        (Report(0.0, done={ABORT: 1, EXPIRE: 2000}), "2,000 objects expired, 1 uploads aborted"),
        (Report(0.0, protected=2, passed=1), "2 kept by a lock, 1 changed meanwhile"),
    ],
)
def test_what_is_said_of_it(report: Report, text: str) -> None:
    assert report.text == text


def test_when_it_was() -> None:
    assert Report(1_795_262_400.0, at_bucket="photos").when == "begun at 2026-11-21 12:00:00+00:00, at photos"
    assert Report(0.0, finished=1_795_262_400.0).when == "through at 2026-11-21 12:00:00+00:00"
    assert Report(0.0).through is None
    assert Report(0.0, finished=1_795_262_400.0).through == "2026-11-21T12:00:00+00:00"
