"""Bytes as they come, gathered into blocks and handed to several workers in threads, one block ahead of the reader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

BLOCK = 1 << 20  # what one hand-over to the threads holds: large enough that the hand-over does not show

Work = Callable[[bytes], None]


class Blocks:
    """Each of `work` gets every block, in order, in whatever thread; all of them work on the same block at a time."""

    def __init__(self, pool: Executor, work: Iterable[Work]) -> None:
        self.size = 0
        self._pool = pool
        self._work = list(work)
        self._pending: list[bytes | memoryview] = []
        self._pending_size = 0
        self._under_way: list[asyncio.Future[None]] = []

    async def write(self, data: bytes | memoryview) -> None:
        """Takes the bytes over. Waits only when a block is full while the one before it is still worked on."""
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= BLOCK:
            await self._hand_over()

    async def done(self, then: Callable[[], None] = lambda: None) -> None:
        """When all of what was written has been worked on, and `then` called. Raises what any of them raised.

        The last of it goes through all the work in one thread: for so few bytes a second thread does not pay.
        """
        block = self._take()
        await self._settled()
        self._under_way = [asyncio.get_running_loop().run_in_executor(self._pool, self._last, block, then)]
        await self._settled()

    async def abandoned(self) -> None:
        """When no thread works on a block any more; what they raised no longer matters."""
        if self._under_way:
            await asyncio.wait(self._under_way)
            for each in self._under_way:
                each.exception()

    async def _hand_over(self) -> None:
        block = self._take()
        await self._settled()
        loop = asyncio.get_running_loop()
        self._under_way = [loop.run_in_executor(self._pool, work, block) for work in self._work]

    def _take(self) -> bytes:
        block = bytes(self._pending[0]) if len(self._pending) == 1 else b"".join(self._pending)
        self._pending.clear()
        self._pending_size = 0
        self.size += len(block)
        return block

    def _last(self, block: bytes, then: Callable[[], None]) -> None:
        if block:
            for work in self._work:
                work(block)
        then()

    async def _settled(self) -> None:
        if self._under_way:
            # Waited for, never awaited: a cancelled await would let go of a thread that still works.
            await asyncio.wait(self._under_way)
            under_way, self._under_way = self._under_way, []
            for each in under_way:
                each.result()
