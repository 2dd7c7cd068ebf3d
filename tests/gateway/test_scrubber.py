from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway.scrub.report import BACKGROUND, Report
from gateway.scrubber import DAY, Scrubber


def test_one_that_was_broken_off_is_due_and_one_that_is_through_when_its_days_are_over(tmp_path: Path) -> None:
    scrubber = Scrubber(tmp_path, 1, 7)
    assert scrubber._due_in() == 0
    began = time.time() - 3 * DAY
    Report(began).save(tmp_path, BACKGROUND)
    assert scrubber._due_in() == 0
    Report(began, finished=began + 60).save(tmp_path, BACKGROUND)
    assert scrubber._due_in() == pytest.approx(4 * DAY, abs=60)


async def test_without_a_rate_there_is_none(tmp_path: Path) -> None:
    scrubber = Scrubber(tmp_path, 0, 7)
    scrubber.start()
    assert scrubber._running is None
    await scrubber.stop()


def test_the_settings_that_are_given_last_are_those_of_the_next(tmp_path: Path) -> None:
    scrubber = Scrubber(tmp_path, 1, 7, given=b"first\n")
    assert scrubber._child.given == b"first\n"
    scrubber.give(b"second\n")
    assert scrubber._child.given == b"second\n"
