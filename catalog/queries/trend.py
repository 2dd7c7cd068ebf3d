"""Where a number goes that is known for each of some days: a line through them, and how far it may be off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median

LEAST = 14  # days of history below which nothing is foretold
_WEEK = 7
_LEAST_WEEKS = 4  # below which spread is that of days: writes come by the week
_BAND = 1.2816  # standard deviations within which 8 of 10 come to lie; more, as Student has it, where they are of few
_OF_FEW = 0.85
_OF_SLOPE = 1.2  # the variance of a slope through sums of chance, against that of their mean


@dataclass(frozen=True)
class Trend:
    """`now` is the last number, `slope` what a day brings, `spread` how far off that it may come, 8 of 10 times.

    The slope is the median of those between any two days (Theil and Sen), so that one large import is no trend. Around
    it the numbers wander as they did: what is off adds up day by day, and with it the error of the slope itself.
    https://otexts.com/fpp3/prediction-intervals.html, "Drift"
    """

    now: float
    slope: float
    spread: float
    days: int

    def ahead(self, days: int) -> tuple[float, float, float]:
        """The number in so many days; 8 of 10 times it is between the other two."""
        middle = self.now + self.slope * days
        off = self.spread * math.sqrt(days * (1 + _OF_SLOPE * days / self.days))
        return middle, middle - off, middle + off


def trend(numbers: Sequence[float], now: float) -> Trend:
    """Of the numbers at the ends of consecutive days, LEAST of them or more, and the number that there is now."""
    slope = median((after - before) / (last - first) for (first, before), (last, after) in _pairs(numbers))
    steps = len(numbers) - 1
    size = _WEEK if steps >= _LEAST_WEEKS * _WEEK else 1
    ends = numbers[steps % size :: size]
    off = [after - before - slope * size for before, after in pairwise(ends)]
    free = len(off) - 1
    deviation = math.sqrt(sum(each * each for each in off) / free / size)
    return Trend(now, slope, deviation * _BAND * (1 + _OF_FEW / free), steps)


def _pairs(numbers: Sequence[float]) -> combinations[tuple[tuple[int, float], tuple[int, float]]]:
    return combinations(list(enumerate(numbers)), 2)
