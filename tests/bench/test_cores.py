"""What is said of the work of several workers."""

from __future__ import annotations

from bench.cores import ROWS, verdict
from bench.report import Result, Rounds
from bench.rows import chosen


def test_scaling_goes_by_what_a_request_costs() -> None:
    (row,) = chosen(["HEAD@64"])
    one = Rounds(rates=[1000.0] * 3, cpu=[40e-6, 41e-6, 42e-6])
    alike = Result(row, {"1 worker": one, "2 workers": Rounds(rates=[1500.0] * 3, cpu=[40e-6, 41e-6, 42e-6])})
    dearer = Result(row, {"1 worker": one, "2 workers": Rounds(rates=[1500.0] * 3, cpu=[80e-6, 82e-6, 84e-6])})
    assert verdict(alike, 2) == "    2.00 of 2"
    assert verdict(dearer, 2) == "    1.00 of 2 MISSED"


def test_each_row_is_one() -> None:
    assert sorted(row.name for row in chosen(ROWS)) == sorted(ROWS)
