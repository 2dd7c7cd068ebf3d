"""One run through all buckets: what is due by their rules is found in SQL, each removal decided under the lock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog import Catalog
from catalog.errors import NoBucket, NoUpload, ObjectLocked
from catalog.expiring import Standing, is_due, is_kept
from catalog.lifecycle import (
    ABORT,
    DAY,
    EXPIRE,
    REMOVE_NONCURRENT,
    REQUESTER,
    SETTING,
    Step,
    configuration,
    enabled,
    steps,
)
from catalog.queries import Candidate, list_candidates
from catalog.records import Bucket, Origin
from gateway.access_logs.removals import Removals
from gateway.lifecycle.report import Report
from gateway.scrub.database import Database

PAGE = 10_000  # candidates at once
BATCH = 25  # removals that are committed together: half a millisecond under the lock
BUCKETS = 1000


class Run:
    """`rate` is of removals a second, 0 for as fast as it goes. Without `removing` it counts what it would remove."""

    def __init__(
        self,
        catalog: Catalog,
        data: Path,
        report: Report,
        rate: int = 0,
        now: int | None = None,
        day: int = DAY,
        removing: bool = True,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._catalog = catalog
        self._data = data
        self._database = Database(catalog, data)
        self._report = report
        self._removals = Removals(data)
        self._rate = rate
        self._now = time.time_ns() // 1_000_000 if now is None else now
        self._day = day
        self._removing = removing
        self._stopping = stopping

    async def run(self) -> None:
        """To the end, or until it is to stop. Raises CatalogUnusable, QueryFailed, QueryStopped, StorageFull."""
        try:
            await self._all()
        finally:
            self._database.close()
            self._removals.close()
        if not self._stopping():
            self._report.finished, self._report.at_bucket = time.time(), ""
            self._save()

    async def _all(self) -> None:
        name = ""
        while found := self._catalog.buckets(None, after=name, limit=BUCKETS):
            for bucket in found:
                name = bucket.name
                if configuration(bucket) is not None:
                    self._report.at_bucket = name
                    self._save()
                    await self._bucket(bucket)
                    self._report.buckets += 1

    async def _bucket(self, bucket: Bucket) -> None:
        held = configuration(bucket)
        assert held is not None
        for step in steps(enabled(held), self._now, self._day):
            if bucket.versioning or step.kind != REMOVE_NONCURRENT:
                await self._step(bucket, step)

    async def _step(self, bucket: Bucket, step: Step) -> None:
        after: str | None = None
        while self._goes_on(bucket):
            as_of = self._catalog.end().seq
            page = self._database.ask(list_candidates, bucket.name, step, PAGE, after)
            due = [each for each in page.items if self._is_due(bucket, step, each, as_of)]
            for first in range(0, len(due), BATCH):
                if not self._goes_on(bucket):
                    return
                await self._batch(bucket, step, due[first : first + BATCH], as_of)
                self._database.rest()
            self._save()
            after = page.next
            if after is None:
                return

    def _goes_on(self, bucket: Bucket) -> bool:
        """Unless it is to stop, or the bucket has not the same rules any more."""
        if self._stopping():
            return False
        try:
            now = self._catalog.bucket(bucket.name)
        except NoBucket:
            return False
        return now.id == bucket.id and (now.settings or {}).get(SETTING) == (bucket.settings or {}).get(SETTING)

    def _is_due(self, bucket: Bucket, step: Step, found: Candidate, as_of: int) -> bool:
        """Without the lock, so that what stays is not decided on."""
        if step.kind == ABORT:
            return True
        held = self._catalog.expiring.standing(bucket, found.key, found.seq, step.newer)
        if held is None or not is_due(step, found.key, held, as_of) or not self._is_old(bucket, step, found, held):
            return False
        if step.kind != EXPIRE and is_kept(held, time.time_ns() // 1_000_000):
            self._report.protected += 1
            return False
        return True

    def _is_old(self, bucket: Bucket, step: Step, found: Candidate, held: Standing) -> bool:
        """By when it was hidden; where the journal does not say, no sooner than what hides it now came."""
        if step.kind != REMOVE_NONCURRENT or step.before is None:
            return True
        if found.milliseconds is not None:
            return found.milliseconds < step.before
        hiding = self._catalog.expiring.standing(bucket, found.key, held.successor) if held.successor else None
        return hiding is not None and hiding.version.modified < step.before

    async def _batch(self, bucket: Bucket, step: Step, due: Sequence[Candidate], as_of: int) -> None:
        began = time.monotonic()
        if self._removing:
            for outcome in await asyncio.gather(
                *(self._one(bucket, step, each, as_of) for each in due), return_exceptions=True
            ):
                if outcome is not None:
                    raise outcome
        else:
            for each in due:
                self._report.count(step.kind, each.size)
        if self._rate and self._removing:
            await asyncio.sleep(max(0.0, began + len(due) / self._rate - time.monotonic()))

    async def _one(self, bucket: Bucket, step: Step, found: Candidate, as_of: int) -> None:
        origin = Origin(REQUESTER, request_id=step.rule_id)
        try:
            if step.kind == ABORT:
                await self._catalog.abort_upload(origin, bucket, found.key, found.upload_id)
            elif await self._catalog.expiring.expire(origin, bucket, found.key, found.seq, step, as_of) is None:
                self._report.passed += 1
                return
        except (NoUpload, NoBucket):
            self._report.passed += 1
        except ObjectLocked:
            self._report.protected += 1
        else:
            self._report.count(step.kind, found.size)
            self._removals.add(bucket, step.kind, found.key, found.size)

    def _save(self) -> None:
        if self._removing:
            self._report.save(self._data)
