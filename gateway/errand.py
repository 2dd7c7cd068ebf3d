"""What a server has to do now and then, in a process of its own that is there for as long as that takes."""

from __future__ import annotations

import asyncio

from gateway.child import Child, StartFailed
from gateway.logging import log

RETRY = 600.0  # seconds after one that ended by an error


class Errand:
    """`settle` is how many seconds a server runs, or has done it, before it begins or goes on.

    What is `given` it reads from its standard input.
    """

    def __init__(self, name: str, command: list[str], settle: float, given: bytes = b"") -> None:
        self._name = name
        self._settle = settle
        self._child = Child(name, command, given)
        self._running: asyncio.Task[None] | None = None

    def give(self, given: bytes) -> None:
        """From the next time on."""
        self._child.given = given

    def start(self) -> None:
        self._running = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
            await self._child.stop()

    async def _run(self) -> None:
        pause = self._settle
        while True:
            await asyncio.sleep(pause)
            await self._until_due()
            try:
                await self._child.start()
                assert self._child.process is not None
                status = await self._child.process.wait()
            except (StartFailed, OSError) as failure:
                log.error("%s", failure)
                status = 1
            else:
                if status:
                    log.error("the %s ended with status %s", self._name, status)
            pause = max(self._settle, RETRY) if status else self._settle

    async def _until_due(self) -> None:
        while True:
            left = await asyncio.to_thread(self._due_in)
            if left <= 0:
                return
            await asyncio.sleep(left)

    def _due_in(self) -> float:
        """Seconds, after which it is asked again; 0 or less: now."""
        raise NotImplementedError
