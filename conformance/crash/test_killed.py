"""A server killed at any moment starts again without help, and nothing it acknowledged is lost or half there."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.crash.points import AT_OPENING, POINTS, Point, resolve
from conformance.crash.rounds import Torture

# Which of the points the short form takes, the others being much like one of these.
SHORT = [point for point in POINTS if point.name in {"log half written", "log synced, index not put"}]


@pytest.mark.parametrize("point", POINTS + AT_OPENING, ids=lambda point: point.name)
def test_each_point_is_there(point: Point) -> None:
    assert callable(resolve(point.target)[2])


def test_killed_at_any_moment(tmp_path: Path) -> None:
    torture = Torture(tmp_path / "data", seed=1)
    for _ in range(2):
        torture.round()
    assert torture.counts.acknowledged > 0


def test_killed_at_named_points(tmp_path: Path) -> None:
    torture = Torture(tmp_path / "data", seed=2)
    for point in SHORT:
        torture.round(point)
    torture.kill_while_opening(AT_OPENING[1])
    assert set(torture.counts.reached) == {point.name for point in SHORT} | {AT_OPENING[1].name}
