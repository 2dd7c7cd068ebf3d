"""When a server scrubs its data folder: each time in a process of its own, which is there for as long as that takes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from gateway.child import Child, StartFailed
from gateway.logging import log
from gateway.scrub.report import BACKGROUND, last

SETTLE = 60.0  # seconds that a server runs before it begins or goes on
RETRY = 600.0  # seconds after one that ended by an error
DAY = 86_400.0


class Scrubber:
    def __init__(self, data: Path, rate: int, days: int, repair: bool = False) -> None:
        """`rate` in MB/s, 0 for no scrub at all; one begins `days` after the last did, or when that is through."""
        self._data = data
        self._rate = rate
        self._days = days
        self._child = Child("scrub", ["gateway.scrub.background", str(data), str(rate), str(int(repair))], b"")
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._rate:
            self._running = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
            await self._child.stop()

    async def _run(self) -> None:
        pause = SETTLE
        while True:
            await asyncio.sleep(max(pause, await asyncio.to_thread(self._due_in)))
            try:
                await self._child.start()
                assert self._child.process is not None
                status = await self._child.process.wait()
            except (StartFailed, OSError) as failure:
                log.error("%s", failure)
                status = 1
            else:
                if status:
                    log.error("the scrub ended with status %s", status)
            pause = RETRY if status else SETTLE

    def _due_in(self) -> float:
        """Seconds; one that was broken off goes on at once."""
        report = last(self._data, BACKGROUND)
        if report is None or not report.finished:
            return 0.0
        return report.started + self._days * DAY - time.time()
