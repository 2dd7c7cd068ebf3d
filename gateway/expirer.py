"""When a server carries out the lifecycle rules of its buckets."""

from __future__ import annotations

import time
from pathlib import Path

from gateway.errand import Errand
from gateway.lifecycle.report import last

SETTLE = 60.0  # seconds
OF_A_DAY = 20  # where the rules' days are short, as in tests, it settles for this part of one


class Expirer(Errand):
    def __init__(self, data: Path, rate: int, day: int) -> None:
        """`rate` in removals a second, 0 for none at all; `day` is how many seconds a day of the rules has."""
        command = ["gateway.lifecycle.background", str(data), str(rate), str(day)]
        super().__init__("lifecycle run", command, min(SETTLE, day / OF_A_DAY))
        self._data = data
        self._rate = rate
        self._day = day

    def start(self) -> None:
        if self._rate:
            super().start()

    def _due_in(self) -> float:
        """One a day, after midnight UTC. One that was broken off, and one that was missed, begins at once."""
        report = last(self._data)
        if report is None or not report.finished:
            return 0.0
        return (report.started // self._day + 1) * self._day - time.time()
