"""What the catalog process cannot do at the moment, told once when it begins and once when it is over."""

from __future__ import annotations

import logging

import duckdb
import lmdb

# What a disk that is full or fails looks like: where in our code that came to light says nothing.
_OF_THE_DISK = (OSError, duckdb.IOException, lmdb.DiskError, lmdb.MapFullError)

log = logging.getLogger(__name__)


class Trouble:
    """However often the work is tried meanwhile. Work is named by what stands behind "cannot"."""

    def __init__(self) -> None:
        self._failing: set[str] = set()

    def met(self, work: str, problem: Exception) -> None:
        """With a traceback, unless the disk is to blame."""
        if work not in self._failing:
            self._failing.add(work)
            trace = None if isinstance(problem, _OF_THE_DISK) else problem
            log.error("the catalog process cannot %s, trying again: %s", work, problem, exc_info=trace)

    def over(self, work: str) -> None:
        if work in self._failing:
            self._failing.remove(work)
            log.warning("the catalog process can %s again", work)
