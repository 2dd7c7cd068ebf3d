"""When a server scrubs its data folder."""

from __future__ import annotations

import time
from pathlib import Path

from gateway.errand import Errand
from gateway.scrub.report import BACKGROUND, last

SETTLE = 60.0  # seconds
DAY = 86_400.0


class Scrubber(Errand):
    def __init__(self, data: Path, rate: int, days: int, repair: bool = False, given: bytes = b"\n") -> None:
        """`rate` in MB/s, 0 for no scrub at all; one begins `days` after the last did, or when that is through.

        The settings are `given` as a line, for they may have the keys of what is encrypted.
        """
        command = ["gateway.scrub.background", str(data), str(rate), str(int(repair))]
        super().__init__("scrub", command, SETTLE, given)
        self._data = data
        self._rate = rate
        self._days = days

    def start(self) -> None:
        if self._rate:
            super().start()

    def _due_in(self) -> float:
        """One that was broken off goes on at once."""
        report = last(self._data, BACKGROUND)
        if report is None or not report.finished:
            return 0.0
        return report.started + self._days * DAY - time.time()
