from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate

import pytest

from catalog.queries.trend import LEAST, trend

# What a day brings.
DAYS: dict[str, Callable[[random.Random, int], float]] = {
    "steady": lambda chance, day: chance.gauss(100, 20),
    "on weekdays": lambda chance, day: chance.gauss(140, 40) if day % 7 < 5 else 0,
    "once a week": lambda chance, day: 700 * chance.uniform(0.5, 1.5) if day % 7 == 0 else 0,
    "to and fro": lambda chance, day: chance.gauss(10, 100),
}


@pytest.mark.parametrize("kind", DAYS)
@pytest.mark.parametrize("days", [LEAST, 40, 90])
@pytest.mark.parametrize("ahead", [7, 90])
def test_eight_of_ten_come_to_lie_in_the_band(kind: str, days: int, ahead: int) -> None:
    chance, within = random.Random(f"{kind} {days} {ahead}"), 0
    for _ in range(100):
        first = chance.randrange(7)
        brought = (DAYS[kind](chance, first + day) for day in range(days + ahead))
        numbers = list(accumulate(brought))
        _, low, high = trend(numbers[:days], numbers[days - 1]).ahead(ahead)
        within += low <= numbers[-1] <= high
    assert within >= 65


def test_the_band_is_no_wider_than_what_happened_calls_for() -> None:
    chance = random.Random(1)
    numbers = list(accumulate(chance.gauss(100, 20) for _ in range(90)))
    middle, low, high = trend(numbers, numbers[-1]).ahead(30)
    assert 2700 < middle - numbers[-1] < 3300 and 150 < high - middle == middle - low < 350


def test_one_large_import_is_no_trend_but_may_come_again() -> None:
    numbers = [1000.0] * 30 + [50_000.0] * 10
    found = trend(numbers, 50_000)
    assert found.slope == 0
    _, low, high = found.ahead(30)
    assert low < 30_000 and high > 70_000


def test_what_shrinks_goes_on_to_shrink() -> None:
    assert trend([100.0 - day for day in range(20)], 80).ahead(10) == (70, 70, 70)
