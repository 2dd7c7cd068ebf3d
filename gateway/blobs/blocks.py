"""Bytes as they come, gathered into blocks and handed to several workers in threads, one block ahead of the reader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from weakref import WeakSet

from gateway.blobs.digests import Data

BLOCK = 1 << 20  # what one hand-over to the threads holds: large enough that the hand-over does not show
LEAST_BLOCK = 64 << 10
BUDGET = 64 << 20  # memory for all bodies of a process that pass through here, while they are not too many
FULL = 0.75  # of a block: with the framing of aws-chunked off, what fits in one is a little less
MANY = 16  # pieces of a block cost more to pass on than to join
HELD = 3  # blocks of one body: one that fills, one that is full, one that is worked on

Work = Callable[[Data], None]


def block_size() -> int:
    """The more bodies there are under way, the smaller: all of them share the budget."""
    return max(LEAST_BLOCK, min(BLOCK, BUDGET // (HELD * max(1, len(UNDER_WAY)))))


class Blocks:
    """Each of `work` gets every byte, in order, in a thread of its pool; all of them work on the same block at a time.

    What is written must not change any more.
    """

    def __init__(self, work: Iterable[tuple[Executor, Work]]) -> None:
        self.size = 0
        self._work = list(work)
        self._pending: list[Data] = []
        self._pending_size = 0
        self._under_way: list[asyncio.Future[None]] = []

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
        UNDER_WAY.discard(self)
        block = self._take()
        await self._settled()
        pool, _ = self._work[0]
        self._under_way = [asyncio.get_running_loop().run_in_executor(pool, self._last, block, then)]
        await self._settled()

    async def abandoned(self) -> None:
        """When no thread works on a block any more; what they raised no longer matters."""
        UNDER_WAY.discard(self)
        if self._under_way:
            await asyncio.wait(self._under_way)
            for each in self._under_way:
                each.exception()

    async def _hand_over(self) -> None:
        UNDER_WAY.add(self)
        block = self._take()
        await self._settled()
        loop = asyncio.get_running_loop()
        self._under_way = [loop.run_in_executor(pool, _pass, block, work) for pool, work in self._work]

    def _take(self) -> list[Data]:
        block, self._pending = self._pending, []
        self.size += self._pending_size
        self._pending_size = 0
        return [b"".join(block)] if len(block) > MANY else block

    def _last(self, block: list[Data], then: Callable[[], None]) -> None:
        for _, work in self._work:
            _pass(block, work)
        then()

    async def _settled(self) -> None:
        if self._under_way:
            # Waited for, never awaited: a cancelled await would let go of a thread that still works.
            await asyncio.wait(self._under_way)
            under_way, self._under_way = self._under_way, []
            for each in under_way:
                each.result()


def _pass(block: list[Data], work: Work) -> None:
    for piece in block:
        work(piece)


# Those that have handed over a block and not ended. One that nobody ended is forgotten with its last reference.
UNDER_WAY: WeakSet[Blocks] = WeakSet()
