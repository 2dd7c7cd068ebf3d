from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from bench import report
from bench.load import Measured
from bench.report import Result, Rounds
from bench.rows import ROWS, Row, chosen

MIB = 1024 * 1024


class Scripted:
    def __init__(self, name: str, rates: list[int], said: list[str]) -> None:
        self.name = name
        self.rates = iter(rates)
        self.said = said

    def measure(self, row: Row, seconds: float) -> Measured:
        self.said.append(self.name)
        rate = next(self.rates)
        return Measured(rate, rate, 1.0, 0.5, [0.001] * 98 + [0.002, 0.003], Counter())


def test_rounds_take_turns_and_the_ratio_is_of_each_round() -> None:
    said: list[str] = []
    targets = [Scripted("bare", [100, 200, 400], said), Scripted("ducket", [50, 80, 80], said)]
    result = report.measure(Row("HEAD", 16, "empty", reach=0.4), targets, 3, 1.0)
    assert said == ["bare", "ducket", "ducket", "bare", "bare", "ducket"]
    assert result.ratio("ducket") == 0.4
    assert report.verdict(result) == " reached"


def test_a_line_says_what_was_missed_and_what_was_wrong() -> None:
    rounds = {"bare": Rounds([100.0], [0.001], [0.002], [0.001]), "ducket": Rounds([10.0], [0.01], [0.02], [0.01])}
    rounds["ducket"].errors["status 500"] = 3
    line = report.line(Result(Row("HEAD", 16, "empty", reach=0.4), rounds), reach=True, cpu=True)
    assert "MISSED" in line
    assert "'status 500': 3" in line


def test_large_bodies_are_told_in_bytes() -> None:
    rounds = {"bare": Rounds([4.0], [0.1], [0.2], [0.1])}
    result = Result(Row("GET", 1, "stream", 64 * MIB), rounds)
    assert "256 MiB/s" in report.line(result, reach=False, cpu=False)
    assert rounds["bare"].plain(result.row)["mib_per_second"] == 256.0


def test_percentiles() -> None:
    measured = Measured(100, 100, 1.0, 0.0, [number / 1000 for number in range(100)])
    assert measured.percentile(0.5) == 0.05
    assert measured.percentile(0.99) == 0.099
    assert Measured().percentile(0.5) == 0.0


def test_figures_are_written_with_the_machine(tmp_path: Path) -> None:
    rounds = {"bare": Rounds([100.0], [0.001], [0.002], [0.001]), "ducket": Rounds([50.0], [0.01], [0.02], [0.004])}
    report.written(tmp_path / "a.json", [Result(ROWS[0], rounds)], {"rounds": 1})
    told = json.loads((tmp_path / "a.json").read_text())
    assert told["rows"][0]["ratio"] == {"ducket": 0.5}
    assert told["rows"][0]["ratio_by_cpu"] == {"ducket": 0.25}
    assert told["rows"][0]["targets"]["bare"]["p99_ms"] == 2.0
    assert told["machine"]["cores"]


def test_rows_have_names_of_their_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {row.connections for row in ROWS} >= {1, 16, 64}


def test_rows_are_chosen_by_pattern() -> None:
    assert [row.name for row in chosen(["PUT-4KiB@1*", "HEAD@64"])] == [
        "HEAD@64",
        "PUT-4KiB@1",
        "PUT-4KiB@16",
    ]
    assert set(chosen([])) < set(chosen([], every=True)) == set(ROWS)
    with pytest.raises(SystemExit, match="no row"):
        chosen(["POST@1"])
