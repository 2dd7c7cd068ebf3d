from __future__ import annotations

import pytest

from catalog.lag import LONGEST, SLOWING, pause


@pytest.mark.parametrize(
    ("lag", "seconds"),
    [(0, 0.0), (SLOWING, 0.0), (SLOWING * 3 // 2, LONGEST / 2), (SLOWING * 2, LONGEST), (SLOWING * 40, LONGEST)],
)
def test_a_batch_waits_the_longer_the_further_the_database_is_behind(lag: int, seconds: float) -> None:
    assert pause(lag) == pytest.approx(seconds)
