from __future__ import annotations

from pathlib import Path

from gateway.scrub.report import BACKGROUND, FAILED, REPAIRED, Finding, Report, degraded, latest


def finding(result: str = FAILED) -> Finding:
    return Finding("etag", "not what was written", "bucket", "key", result=result)


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
