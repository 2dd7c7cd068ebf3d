"""Bytes as they come, gathered into blocks and handed to several workers in threads, one block ahead of the reader."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from weakref import WeakSet

from gateway.blobs.digests import Data

BLOCK = 1 << 20  # what one hand-over to the threads holds: large enough that the hand-over does not show
LEAST_BLOCK = 64 << 10
BUDGET = 64 << 20  # memory for all bodies of a process that pass through here, while they are not too many
FULL = 0.75  # of a block: with the framing of aws-chunked off, what fits in one is a little less
MANY = 16  # pieces of a block cost more to pass on than to join
CORES = len(os.sched_getaffinity(0))
HELD = 3  # blocks of one body: one that fills, one that is full, one that is worked on

Work = Callable[[Data], None]


def block_size() -> int:
    """The more bodies there are under way, the smaller: all of them share the budget."""
    return max(LEAST_BLOCK, min(BLOCK, BUDGET // (HELD * max(1, len(UNDER_WAY)))))


def new_block(size: int) -> bytearray:
    """To be filled whole: what was in it before may be there still. Zeroing one takes the event loop 0.05 ms a MiB."""
    while SPARE:
        block = SPARE.pop()
        if len(block) == size:
            return block
    return bytearray(size)


class Blocks:
    """Each of `work` gets every byte, in order, in a thread of its pool; all of them work on the same block at a time.

    What is written must not change any more, nor be looked at by others: a bytearray is filled anew in the end.
    """

    def __init__(self, work: Iterable[tuple[Executor, Work]]) -> None:
        self.size = 0
        self._work = [(pool, [work]) for pool, work in work]
        self._by_pool = _by_pool(self._work)
        self._pending: list[Data] = []
        self._pending_size = 0
        self._working = False
        self._failure: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def write(self, data: Data) -> None:
        """Takes the bytes over. Waits only when a block is full while the one before it is still worked on."""
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= block_size() * FULL:
            await self._hand_over()

    async def done(self, then: Callable[[], None] = lambda: None) -> None:
        """When all of what was written has been worked on, and `then` called. Raises what any of them raised.

        The last of it goes through all the work in one thread, of the first pool: so few bytes are not worth a second.
        """
        self._leave()
        block = self._take()
        await self._settled()
        pool, _ = self._work[0]
        self._begin(block, [(pool, partial(self._last, block, then))])
        await self._settled()

    async def abandoned(self) -> None:
        """When no thread works on a block any more; what they raised no longer matters."""
        self._leave()
        await self._rested()

    async def _hand_over(self) -> None:
        UNDER_WAY.add(self)
        block = self._take()
        await self._settled()
        # With as many bodies as cores nothing is won by several threads for one, and each is a hand-over.
        jobs = self._work if len(UNDER_WAY) < CORES else self._by_pool
        self._begin(block, [(pool, partial(_pass, block, work)) for pool, work in jobs])

    def _take(self) -> list[Data]:
        block, self._pending = self._pending, []
        self.size += self._pending_size
        self._pending_size = 0
        return [b"".join(block)] if len(block) > MANY else block

    def _last(self, block: list[Data], then: Callable[[], None]) -> None:
        _pass(block, [work for _, several in self._work for work in several])
        then()

    def _begin(self, block: list[Data], jobs: Sequence[tuple[Executor, Callable[[], None]]]) -> None:
        """The event loop hears of them once, when the last has ended: each time it has to wait for Python's lock."""
        loop = asyncio.get_running_loop()
        left = list(range(len(jobs)))
        failures: list[BaseException] = []

        def run(job: Callable[[], None]) -> None:
            try:
                job()
            except BaseException as failure:
                failures.append(failure)
            if not left.pop():
                loop.call_soon_threadsafe(self._end, block, failures)

        for pool, job in jobs:
            pool.submit(run, job)
        self._working = True

    def _end(self, block: list[Data], failures: list[BaseException]) -> None:
        self._working = False
        if len(SPARE) < len(UNDER_WAY):
            SPARE.extend([piece for piece in block if isinstance(piece, bytearray)])
        self._failure = failures[0] if failures else None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _leave(self) -> None:
        UNDER_WAY.discard(self)
        if not UNDER_WAY:
            SPARE.clear()

    async def _settled(self) -> None:
        await self._rested()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _rested(self) -> None:
        """Whoever waits may be cancelled; the threads work on."""
        if self._working:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter


def _by_pool(work: Iterable[tuple[Executor, list[Work]]]) -> list[tuple[Executor, list[Work]]]:
    found: dict[Executor, list[Work]] = {}
    for pool, several in work:
        found.setdefault(pool, []).extend(several)
    return list(found.items())


def _pass(block: list[Data], work: list[Work]) -> None:
    for piece in block:
        for each in work:
            each(piece)


# Those that have handed over a block and not ended. One that nobody ended is forgotten with its last reference.
UNDER_WAY: WeakSet[Blocks] = WeakSet()

SPARE: list[bytearray] = []  # blocks that were worked on, no more than there are bodies under way
