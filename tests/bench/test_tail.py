"""How rounds become a row of the table."""

from __future__ import annotations

from bench.beside import LOADS
from bench.tail import ROWS, SLOW_DISK, Tails, line, middle


def test_percentiles_are_medians_of_the_rounds() -> None:
    assert middle([[1.0, 5.0, 9.0], [2.0, 4.0, 8.0], [3.0, 6.0, 1.0]]) == [2.0, 5.0, 8.0]


def test_a_row_says_what_was_missed() -> None:
    calm = Tails([[0.1, 1.0, 2.0]], [[0.2, 2.5, 3.0]])
    wild = Tails([[0.1, 1.0, 2.0]], [[0.2, 3.5, 9.0]])
    assert wild.ratio == 3.5
    row = line("GROUP BY", {"GET": calm, "PUT": wild})
    assert row.startswith("GROUP BY ")
    assert row.endswith("3.50 MISSED")
    assert row.count("MISSED") == 1
    assert "MISSED" not in line(SLOW_DISK, {"GET": calm, "PUT": wild})
    assert "MISSED" in line(SLOW_DISK, {"GET": wild, "PUT": calm})


def test_each_load_has_its_row() -> None:
    assert set(ROWS) == {SLOW_DISK, *LOADS}
