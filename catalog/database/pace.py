"""When the log is applied: in large batches, about a second apart, and at once where somebody waits for it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import duckdb

from catalog.database.follower import BATCH, Follower
from catalog.database.source import Source
from catalog.errors import QueryFailed
from catalog.records import Position

ENOUGH = BATCH  # mutations that are applied without waiting for more
LATE = 1.0  # seconds after which mutations are applied however few they are
POLL = 0.05
HOUSEKEEPING = 5.0
RETRY = 1.0

log = logging.getLogger(__name__)


class Pace:
    """The one thread that applies, driven from the event loop."""

    def __init__(self, follower: Follower, source: Source) -> None:
        self._follower = follower
        self._source = source
        self._thread = ThreadPoolExecutor(1, "applier")
        self._wanted = asyncio.Event()
        self._progress = asyncio.Event()
        self._stopping = False
        self.problem: str | None = None

    async def run(self) -> None:
        """Until `stop`; then applies what was acknowledged. Raises CatalogUnusable where the log does not go on."""
        try:
            await self._follow()
            await self._in_thread(self._follower.catch_up)
        finally:
            self._thread.shutdown()

    def stop(self) -> None:
        self._stopping = True
        self._wanted.set()

    async def up_to_date(self) -> Position:
        """Wait until everything is applied that was acknowledged before the call. Raises QueryFailed."""
        end = self._source.end()
        while self._follower.applied.seq < end.seq:
            if self.problem is not None:
                raise QueryFailed(f"the catalog cannot be brought up to date: {self.problem}")
            self._wanted.set()
            await self._progress.wait()
        return self._follower.applied

    async def _follow(self) -> None:
        late = cleaned = 0.0
        while not self._stopping:
            now = time.monotonic()
            if now >= cleaned + HOUSEKEEPING:
                await self._in_thread(self._source.drop_dead_segments, self._follower.applied)
                cleaned = now
            await self._in_thread(self._source.lay_ahead)
            behind = self._follower.behind()
            late = (late or now + LATE) if behind else 0.0
            if behind and (self._wanted.is_set() or behind >= ENOUGH or now >= late):
                self._wanted.clear()
                await self._step()
                late = 0.0
            else:
                if not behind:
                    self._wanted.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), POLL)

    async def _step(self) -> None:
        """A full disk passes; DuckDB unable to go on, or a broken log, does not."""
        try:
            await self._in_thread(self._follower.step)
            self.problem = None
        except duckdb.FatalException:
            raise
        except (duckdb.Error, OSError) as problem:
            log.exception("applying the log failed; trying again")
            self.problem = str(problem)
        self._progress.set()
        self._progress = asyncio.Event()
        if self.problem is not None:
            await asyncio.sleep(RETRY)

    async def _in_thread(self, work: Callable[..., object], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
