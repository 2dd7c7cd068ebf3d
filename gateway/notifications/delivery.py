"""Events to one target: a page of mutations is read, its messages are sent, then how far that was is noted."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from catalog import Catalog
from catalog.errors import CatalogUnusable
from gateway.logging import log
from gateway.notifications.progress import Progress, save
from gateway.notifications.watch import Message, Watch
from gateway.notifications.webhook import AT_ONCE, Target, Undelivered, Webhook

PAGE = 500  # mutations: those of which anything was sent twice, after a kill
POLL = 0.05  # seconds
NOTE = 1.0  # seconds after which it is noted that nothing was to be sent
SYNC = 10.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0  # seconds before a message is tried again


class Delivery:
    """For as long as the process is there: what fails is tried again, until it arrives."""

    def __init__(self, catalog: Catalog, data: Path, target: Target, targets: dict[str, Progress]) -> None:
        """`targets` are how far all are: they are saved together."""
        self._catalog = catalog
        self._data = data
        self._target = target
        self._targets = targets
        self._changes = catalog.tail().changes()
        self._watch = Watch(target.name)
        self._webhook = Webhook(target)
        self._threads = ThreadPoolExecutor(AT_ONCE, f"to {target.name}")
        self._lanes = asyncio.Semaphore(AT_ONCE)
        self._progress = self._begin()
        self._noted = self._synced = 0.0

    async def run(self) -> None:
        """Raises CatalogUnusable."""
        await self._seek()
        while True:
            if self._changes.seq == self._changes.end():
                await asyncio.sleep(POLL)
                continue
            try:
                records = self._changes.read(PAGE)
            except CatalogUnusable:  # the segment has gone meanwhile, or it is broken
                await asyncio.sleep(POLL)
                await self._seek()
                continue
            found = [message for seq, record in records for message in self._watch.messages(seq, record)]
            await self._send(found)
            self._note(self._changes.seq, len(found))
            await asyncio.sleep(0)

    def _begin(self) -> Progress:
        """Where it was left, else where the first rule begins: nothing is lost that has ever been due."""
        end = self._changes.end()
        self._watch.load(self._catalog)
        since = self._watch.since
        first = Progress(end if since is None else min(since, end))
        found = self._targets.setdefault(self._target.name, first)
        found.delivered = min(found.delivered, end)  # of a folder that was restored
        save(self._data, self._targets)
        return found

    async def _seek(self) -> None:
        """To where it was left. What the log has no more comes out of the journal."""
        reached = self._changes.seek(self._progress.delivered)
        if reached > self._progress.delivered:
            from gateway.notifications.backlog import pages  # it brings DuckDB along

            async for until, events in pages(self._catalog, self._data, self._progress.delivered, reached):
                self._watch.load(self._catalog)
                found = [each for bucket, event in events for each in self._watch.messages_of(bucket, event)]
                await self._send(found)
                self._note(until, len(found))
            self._watch.load(self._catalog)

    async def _send(self, messages: Iterable[Message]) -> None:
        by_order: dict[tuple[int, str], list[bytes]] = defaultdict(list)
        for order, body in messages:
            by_order[order].append(body)
        if by_order:
            await asyncio.gather(*(self._send_in_order(bodies) for bodies in by_order.values()))

    async def _send_in_order(self, bodies: Iterable[bytes]) -> None:
        for body in bodies:
            pause = FIRST_PAUSE
            while not await self._try(body):
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _try(self, body: bytes) -> bool:
        async with self._lanes:
            try:
                await asyncio.get_running_loop().run_in_executor(self._threads, self._webhook.post, body)
            except Undelivered as problem:
                self._fail(str(problem))
                return False
        self._arrive()
        return True

    def _fail(self, problem: str) -> None:
        told, now = self._progress, time.time()
        if not told.failures:
            told.failing_since = now
            log.warning("notifications: %s at %s: %s", self._target.name, self._target.place, problem)
        told.failures += 1
        told.error = problem
        if now > self._noted + NOTE:
            self._save(now)

    def _arrive(self) -> None:
        if self._progress.failures:
            log.info("notifications: %s takes messages again", self._target.name)
            self._progress.failures, self._progress.failing_since = 0, 0.0

    def _note(self, reached: int, sent: int) -> None:
        now = time.time()
        self._progress.delivered = reached
        if sent:
            self._progress.messages += sent
            self._progress.delivered_at = now
        if sent or now > self._noted + NOTE:
            self._save(now)

    def _save(self, now: float) -> None:
        save(self._data, self._targets)
        self._noted = now
        if now > self._synced + SYNC:
            save(self._data, self._targets, synced=True)
            self._synced = now
