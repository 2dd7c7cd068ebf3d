from __future__ import annotations

from bench.churn import FLOOR, Round, line, passing, summary


def a_round(log: float, p99: float) -> Round:
    return Round(live=100, log=log, blobs=50, at_rest=log, quiet_log=900, p50=1, p99=p99, quiet_p99=10)


def test_space_counts_beyond_the_floor() -> None:
    assert a_round(FLOOR + 100, 10).times == 1.5
    assert a_round(10, 10).times == 0


def test_the_worst_space_and_the_median_of_the_ratios_are_judged() -> None:
    assert "MISSED" not in summary([a_round(FLOOR + 100, 15), a_round(FLOOR + 100, 15), a_round(FLOOR, 90)])
    assert "MISSED" in summary([a_round(FLOOR, 10), a_round(FLOOR + 200, 10)])
    assert "MISSED" in summary([a_round(FLOOR, 10), a_round(FLOOR, 30), a_round(FLOOR, 30)])


def test_a_line_says_how_many_times_the_quiet_p99_it_was() -> None:
    assert line(0, a_round(FLOOR, 25)).split()[-1] == "2.50"


def test_what_passes_in_a_round_has_keys_of_its_own() -> None:
    assert not {key for key, _ in passing(1, 100)} & {key for key, _ in passing(2, 100)}
