from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway.expirer import SETTLE, Expirer
from gateway.lifecycle.report import Report

DAY = 86_400


def test_one_is_due_after_each_midnight_and_at_once_where_one_was_missed_or_broken_off(tmp_path: Path) -> None:
    expirer = Expirer(tmp_path, 1000, DAY)
    assert expirer._due_in() == 0
    now = time.time()
    midnight = now // DAY * DAY
    Report(now).save(tmp_path)
    assert expirer._due_in() == 0
    Report(now, finished=now).save(tmp_path)
    assert expirer._due_in() == pytest.approx(midnight + DAY - now, abs=60)
    Report(midnight - 1, finished=now).save(tmp_path)
    assert expirer._due_in() <= 0


def test_where_days_are_short_it_does_not_settle_for_longer(tmp_path: Path) -> None:
    assert Expirer(tmp_path, 1000, DAY)._settle == SETTLE
    assert Expirer(tmp_path, 1000, 10)._settle == 0.5


async def test_without_a_rate_there_is_none(tmp_path: Path) -> None:
    expirer = Expirer(tmp_path, 0, DAY)
    expirer.start()
    assert expirer._running is None
    await expirer.stop()
