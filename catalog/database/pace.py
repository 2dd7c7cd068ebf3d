"""When the log is applied: in large batches, about a second apart, and at once where somebody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import lmdb

from catalog.database.follower import BATCH, Follower, Mending
from catalog.database.source import Source
from catalog.database.trouble import Trouble
from catalog.errors import QueryFailed
from catalog.records import Position

ENOUGH = BATCH  # mutations that are applied without waiting for more
LATE = 1.0  # seconds after which mutations are applied however few they are
POLL = 0.05
WAL_MOST = 512 * 1024 * 1024  # bytes
GRACE = 10.0  # seconds queries get to end when the database needs a checkpoint
HOUSEKEEPING = 1.0
RETRY = 1.0


class Pace:
    """The one thread that applies, driven from the event loop."""

    def __init__(self, follower: Follower, source: Source, wal: Path, compaction: int = 0) -> None:
        """`compaction` is how many bytes a second it may move; 0 is none."""
        self._follower = follower
        self._source = source
        self._wal = wal
        self._compaction = compaction
        self._readers: set[asyncio.Timeout] = set()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._making_room = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "applier")
        self._wanted = asyncio.Event()
        self._progress = asyncio.Event()
        self._stopping = False
        self._still = self._keeping = 0
        self._trouble = Trouble()
        self.problem: str | None = None

    async def run(self) -> None:
        """Until `stop`; then applies what was acknowledged. Raises CatalogUnusable where the log does not go on."""
        compacting = asyncio.create_task(self._compact())
        try:
            await self._follow()
            await asyncio.get_running_loop().run_in_executor(self._thread, self._follower.catch_up)
        finally:
            compacting.cancel()
            await asyncio.wait({compacting})
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

    @asynccontextmanager
    async def reading(self, seconds: float) -> AsyncIterator[None]:
        """For a query, once the database can be read. TimeoutError after `seconds`, or earlier if it must make room."""
        async with asyncio.timeout(seconds) as limit:
            await self._roomy.wait()
            await self.up_to_date()
            self._readers.add(limit)
            try:
                yield
            finally:
                self._readers.discard(limit)

    async def checkpoint(self) -> None:
        """Let queries end, take the write-ahead log into the database's file and close its gaps. Raises QueryFailed."""
        problem = await self._make_room(self._follower.vacuum)
        if problem is not None:
            raise QueryFailed(problem)

    async def mend(self, work: Mending, *given: Any) -> Position:
        """See `Follower.mend`. Raises QueryFailed."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._follower.mend, work, *given)
        return self._follower.applied

    @asynccontextmanager
    async def standing_still(self) -> AsyncIterator[Position]:
        """Nothing is applied meanwhile; what the database has is its position."""
        self._still += 1
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, _nothing)  # behind what is under way
            yield self._follower.applied
        finally:
            self._still -= 1

    @contextmanager
    def keeping_segments(self) -> Iterator[None]:
        """None is removed meanwhile."""
        self._keeping += 1
        try:
            yield
        finally:
            self._keeping -= 1

    async def _follow(self) -> None:
        late = cleaned = 0.0
        while not self._stopping:
            now = time.monotonic()
            if now >= cleaned + HOUSEKEEPING and not self._keeping:
                await self._tolerating_faults("remove segments of the log that are dead", self._follower.drop_segments)
                await self._tolerating_faults("keep history beside the database", self._follower.keep_history)
                cleaned = now
            await self._tolerating_faults("lay out the next segment of the log", self._source.lay_ahead)
            if self._still:
                await asyncio.sleep(POLL)
                continue
            behind = self._follower.behind()
            due = behind or self.problem is not None  # what failed may have been to say how far it is
            late = (late or now + LATE) if due else 0.0
            if due and (self._wanted.is_set() or behind >= ENOUGH or now >= late):
                self._wanted.clear()
                await self._step()
                late = 0.0
            else:
                if not behind:
                    self._wanted.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), POLL)

    async def _compact(self) -> None:
        """In small steps between the applier's, so that nobody waits for it, and resting twice as long as it works."""
        loop = asyncio.get_running_loop()
        while self._compaction:
            began = time.monotonic()
            moved: int | None = None
            try:
                moved = await loop.run_in_executor(self._thread, self._source.compact, self._follower.applied)
            except Exception as problem:  # whatever it is, S3 and SQL can do without it
                self._trouble.met("compact the log", problem)
            else:
                self._trouble.over("compact the log")
            if moved is None:
                await asyncio.sleep(HOUSEKEEPING)
            else:
                await asyncio.sleep(max(moved / self._compaction, 2 * (time.monotonic() - began)))

    async def _step(self) -> None:
        self.problem = await self._tolerating_faults("bring the database up to date", self._follower.step)
        self._progress.set()
        self._progress = asyncio.Event()
        if self._wal_size() > WAL_MOST:
            await self._make_room(self._follower.checkpoint)

    def _wal_size(self) -> int:
        """A checkpoint takes the file away, at any moment."""
        try:
            return self._wal.stat().st_size
        except FileNotFoundError:
            return 0

    async def _make_room(self, checkpoint: Callable[[], None]) -> str | None:
        """DuckDB cannot checkpoint while a query is open that began before some row was updated: let queries end."""
        loop = asyncio.get_running_loop()
        async with self._making_room:
            self._roomy.clear()
            try:
                deadline = loop.time() + GRACE
                while self._readers:
                    for limit in self._readers:
                        if loop.time() > deadline and not limit.expired():
                            limit.reschedule(0)
                    await asyncio.sleep(POLL)
                if self._still:
                    return "a backup is copying the database"
                return await self._tolerating_faults("write a checkpoint", checkpoint)
            finally:
                self._roomy.set()

    async def _tolerating_faults(self, what: str, work: Callable[..., object], *arguments: object) -> str | None:
        """A full disk passes, and is told of; DuckDB unable to go on, or a broken log, does not."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except duckdb.FatalException:
            raise
        except (duckdb.Error, lmdb.Error, OSError, QueryFailed) as problem:
            self._trouble.met(what, problem)
            await asyncio.sleep(RETRY)
            return str(problem)
        self._trouble.over(what)
        return None


def _nothing() -> None:
    pass
