"""When a server delivers its buckets' access logs."""

from __future__ import annotations

import time
from pathlib import Path

from catalog.requests import FOLDER, LOGGED, opened, waiting
from gateway.access_logs.delivery import ABOUT, TAKEN
from gateway.errand import Errand

LOOKS = 10  # times it looks, while nothing waits, in the time that a line may wait


class Deliverer(Errand):
    def __init__(self, data: Path, seconds: int, given: bytes = b"\n") -> None:
        """So many `seconds` after the first line came all that there are go out; the settings are `given` as a line."""
        super().__init__("delivery of access logs", ["gateway.access_logs.background"], seconds / LOOKS, given)
        self._data = data
        self._seconds = seconds

    def _due_in(self) -> float:
        """What a bucket did not take is due again after the same time."""
        folder = self._data / FOLDER / LOGGED
        began = [opened(path) for path in waiting(self._data, LOGGED) if path.stat().st_size]
        began += [path.stat().st_mtime for mark in (ABOUT, TAKEN) for path in folder.glob(f"*{mark}")]
        return min(began) + self._seconds - time.time() if began else self._seconds / LOOKS
