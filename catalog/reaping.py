"""The end of parts that were many: what a commit left to die goes a little at a time, with commits in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import lmdb

from catalog.index import Index, dying
from catalog.index.apply import Change

GROUPS = 8  # of parts that go in one step: the lock is held for a millisecond
PAUSE = 0.01  # seconds between two steps

log = logging.getLogger(__name__)


class Reaper:
    """In a thread of its own, so that the loop waits for no lock. `on_dead_blobs` is told of what nothing names now."""

    def __init__(self, index: Index, on_dead_blobs: Callable[[list[bytes]], None]) -> None:
        self._index = index
        self._on_dead_blobs = on_dead_blobs
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._working: asyncio.Future[tuple[list[bytes], bool]] | None = None

    def begin(self) -> None:
        """Go on until nothing is left, also of what somebody else left; with the running loop."""
        if self._waiting is None and self._working is None:
            self._waiting = asyncio.get_running_loop().call_later(PAUSE, self._step)

    async def close(self) -> None:
        """What is left stays for whoever opens the catalog next."""
        if self._waiting is not None:
            self._waiting.cancel()
        if self._working is not None:
            await asyncio.wait([self._working])
        if self._waiting is not None:
            self._waiting.cancel()
        if self._thread is not None:
            self._thread.shutdown()

    def _step(self) -> None:
        self._waiting = None
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "reap")
        self._working = asyncio.get_running_loop().run_in_executor(self._thread, reap, self._index)
        self._working.add_done_callback(self._done)

    def _done(self, working: asyncio.Future[tuple[list[bytes], bool]]) -> None:
        self._working = None
        try:
            dead, more = working.result()
        except lmdb.Error as problem:
            log.error("parts that nothing names cannot be let go of: %s", problem)
            return
        if dead:
            self._on_dead_blobs(dead)
        if more:
            self.begin()


def reap(index: Index) -> tuple[list[bytes], bool]:
    """One step: the blobs that nothing names any more, and whether there is more to do."""
    with index.write() as txn:
        change = Change(index, txn)
        change.count_parts(dying.take(index, txn, GROUPS), -1)
        return change.finish(), dying.are_left(index, txn)
