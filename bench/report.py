"""Rounds in turn, their medians and ratios, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import Measured
from bench.rows import MIB, Row
from bench.targets import Target


@dataclass
class Rounds:
    """What one target did in all rounds of one row."""

    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # seconds a request
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, measured: Measured) -> None:
        self.rates.append(measured.rate)
        self.p50.append(measured.percentile(0.5))
        self.p99.append(measured.percentile(0.99))
        self.cpu.append(measured.cpu / measured.done if measured.done else 0.0)
        self.errors += measured.errors

    def plain(self, row: Row) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "per_second": round(median(self.rates), 2),
            "p50_ms": round(median(self.p50) * 1e3, 4),
            "p99_ms": round(median(self.p99) * 1e3, 4),
            "cpu_us": round(median(self.cpu) * 1e6, 2),
            "rounds_per_second": [round(rate, 2) for rate in self.rates],
        }
        if row.large and row.work in ("PUT", "GET"):
            plain["mib_per_second"] = round(median(self.rates) * row.size / MIB, 1)
        if self.errors:
            plain["errors"] = dict(self.errors)
        return plain


@dataclass
class Result:
    """A row's rounds, by target; the first target is what the others are compared with."""

    row: Row
    rounds: dict[str, Rounds]

    def ratio(self, name: str) -> float:
        """The median of the rounds' ratios: each round's targets ran within seconds of each other."""
        first = next(iter(self.rounds.values()))
        return _median_ratio(self.rounds[name].rates, first.rates)

    def cpu_ratio(self, name: str) -> float:
        """What the ratio would be if the server's core did nothing else, and no time were spent on waiting."""
        first = next(iter(self.rounds.values()))
        return _median_ratio(first.cpu, self.rounds[name].cpu)

    @property
    def names(self) -> list[str]:
        return list(self.rounds)

    @property
    def wrong(self) -> Counter[str]:
        return sum((rounds.errors for rounds in self.rounds.values()), Counter())


def measure(row: Row, targets: Sequence[Target], rounds: int, seconds: float) -> Result:
    """All targets in each round, the order turned round every time."""
    result = Result(row, {target.name: Rounds() for target in targets})
    for number in range(rounds):
        for target in targets if number % 2 == 0 else reversed(targets):
            result.rounds[target.name].add(target.measure(row, seconds))
    return result


def heading(names: Sequence[str], reach: bool, cpu: bool) -> str:
    columns = [f"{'row':<18}"]
    for number, name in enumerate(names):
        columns.append(f"{name[:16]:>16} {'p50 ms':>9} {'p99 ms':>9}")
        if cpu:
            columns.append(f"{'cpu µs':>10}")
        if number:
            columns.append(f"{'ratio':>6}")
        if number and cpu:
            columns.append(f"{'by cpu':>6}")
    if reach:
        columns.append(f"{'reach':>6}")
    line = " ".join(columns)
    return f"{line}\n{'-' * len(line)}"


def line(result: Result, reach: bool, cpu: bool) -> str:
    row = result.row
    columns = [f"{row.name:<18}"]
    for number, (name, rounds) in enumerate(result.rounds.items()):
        p50, p99 = median(rounds.p50) * 1e3, median(rounds.p99) * 1e3
        columns.append(f"{_throughput(row, median(rounds.rates)):>16} {p50:>9.3f} {p99:>9.3f}")
        if cpu:
            columns.append(f"{median(rounds.cpu) * 1e6:>10,.1f}")
        if number:
            columns.append(f"{result.ratio(name):>6.3f}")
        if number and cpu:
            columns.append(f"{result.cpu_ratio(name):>6.3f}")
    if reach:
        columns.append(f"{row.reach if row.reach is not None else '-':>6}{verdict(result)}")
    if result.wrong:
        columns.append(f"ERRORS {dict(result.wrong)}")
    return " ".join(columns)


def verdict(result: Result) -> str:
    if result.row.reach is None:
        return ""
    return " reached" if result.ratio(result.names[-1]) >= result.row.reach else " MISSED"


def written(path: Path, results: Sequence[Result], options: dict[str, Any]) -> None:
    rows = [
        {
            "row": result.row.name,
            "connections": result.row.connections,
            "size": result.row.size,
            "bare": result.row.bare,
            "reach": result.row.reach,
            "ratio": {name: round(result.ratio(name), 4) for name in result.names[1:]},
            "ratio_by_cpu": {name: round(result.cpu_ratio(name), 4) for name in result.names[1:]},
            "targets": {name: rounds.plain(result.row) for name, rounds in result.rounds.items()},
        }
        for result in results
    ]
    path.write_text(json.dumps({"machine": machine(), "options": options, "rows": rows}, indent=2) + "\n")


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "python": sys.version.split()[0],
        **{name: version(name) for name in ("uvicorn", "uvloop", "httptools")},
    }


def _median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    return median(over / under if under else 0.0 for over, under in zip(above, below, strict=True))


def _throughput(row: Row, rate: float) -> str:
    if row.large and row.work in ("PUT", "GET"):
        return f"{rate * row.size / MIB:,.0f} MiB/s"
    return f"{rate:,.0f} /s"


def _processor() -> str:
    for entry in Path("/proc/cpuinfo").read_text().splitlines():
        if entry.startswith("model name"):
            return entry.partition(":")[2].strip()
    return platform.processor()
