"""Each request that was served becomes a row, and rows go to the data folder by the batch: none waits for the disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from catalog.errors import NoBucket
from catalog.records import Bucket, User
from catalog.requests import Incoming
from gateway.logging import log

if TYPE_CHECKING:
    from gateway.operations import Context
    from gateway.request import Request
    from gateway.s3.model import Operation

BATCH = 256  # rows; what is written at once is in the processor's cache yet
LARGE_BATCH = 2048  # rows that are handed to the thread
FLUSH_SECONDS = 0.5
SLOW = 0.02  # seconds; a batch takes 0.0002, and more only where the disk or the cores are short
CAREFUL = 5.0  # seconds after a slow write
MOST_WAITING = 4  # large batches that the disk has not taken; beyond them rows are dropped
SHORT = 256  # characters that are kept of a text which may have any length
WARN_SECONDS = 60.0

Row = tuple[Any, ...]


class Recorder:
    """A row for every request, for SQL."""

    def __init__(self, data: Path, find_bucket: Callable[[str], Bucket]) -> None:
        """`find_bucket` raises NoBucket."""
        self._find_bucket = find_bucket
        self._batches = Batches(Incoming(data), "%s requests in all were served without a record of them: %s")

    def add(
        self,
        request: Request,
        operation: Operation | None,
        caller: User,
        context: Context | None,
        status: int,
        error: str,
        sent: int,
        started: float,
        ready: float,
    ) -> None:
        """`started` and `ready`, when the answer was there to be sent, are readings of time.perf_counter."""
        batches = self._batches
        rows = batches.rows
        if not rows:
            batches.begin()
        headers = request.headers
        bucket = context.bucket if context is not None else None
        rows.append(
            (
                batches.epoch + started,
                request.request_id,
                caller.id or None,
                request.client_ip,
                operation.name if operation is not None else None,
                bucket.id if bucket is not None else self._bucket_id(request.bucket),
                bucket.name if bucket is not None else _short(request.bucket),
                request.key,
                _short(request.query.get("versionId")) if request.query else None,
                status,
                error or None,
                sent,
                request.content_length if request.body is not None else 0,
                (time.perf_counter() - started) * 1000,
                (ready - started) * 1000,
                headers["referer"][:SHORT] if "referer" in headers else None,
                headers["user-agent"][:SHORT] if "user-agent" in headers else None,
            )
        )
        if len(rows) >= batches.enough:
            batches.hand_over()

    def close(self) -> None:
        self._batches.close()

    def _bucket_id(self, name: str | None) -> int:
        """Of the bucket that was made, or that the caller may not use: its owner sees the request."""
        try:
            return self._find_bucket(name).id if name is not None else 0
        except NoBucket:
            return 0


class Batches:
    """Bounded in memory and on the disk: where rows come faster than they are taken, they are dropped and counted.

    Who adds to empty `rows` calls `begin` before, who makes them `enough` hands them over. Writes are on the event
    loop, for a thread would cost several times as much, until one is slow: then in the thread.
    """

    def __init__(self, incoming: Incoming, lost: str) -> None:
        """`lost` is the warning's text, with places for how many rows were dropped and why."""
        self._incoming = incoming
        self._lost = lost
        self._writer = ThreadPoolExecutor(1, "requests")
        self._encode = msgspec.msgpack.Encoder().encode
        self.rows: list[Row] = []
        self.enough = BATCH
        self.epoch = 0.0  # of time.perf_counter
        self._timed = False
        self._careful_until = 0.0
        self._handed = self._done = 0  # batches
        self._dropped = 0
        self._warned = -WARN_SECONDS

    def begin(self) -> None:
        if not self._timed:
            self._timed = True
            self.epoch = time.time() - time.perf_counter()
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush)

    def hand_over(self) -> None:
        rows, self.rows = self.rows, []
        if not rows:
            return
        if self._handed - self._done >= MOST_WAITING:
            self._drop(len(rows), "the disk is too slow")
            return
        careful = self._handed > self._done or time.monotonic() < self._careful_until
        self.enough = LARGE_BATCH if careful else BATCH
        self._handed += 1
        if careful:
            self._writer.submit(self._write, rows)
        else:
            self._write(rows)

    def close(self) -> None:
        self.hand_over()
        self._writer.shutdown()
        self._incoming.close()

    def _flush(self) -> None:
        self._timed = False
        self.hand_over()

    def _write(self, rows: list[Row]) -> None:
        began = time.monotonic()
        try:
            self._incoming.append(self._encode(rows))
        except OSError as problem:
            self._drop(len(rows), str(problem))
        ended = time.monotonic()
        if ended > began + SLOW:
            self._careful_until = ended + CAREFUL
        self._done += 1

    def _drop(self, rows: int, why: str) -> None:
        self._dropped += rows
        now = time.monotonic()
        if now >= self._warned + WARN_SECONDS:
            self._warned = now
            log.warning(self._lost, self._dropped, why)


def _short(text: str | None) -> str | None:
    return text[:SHORT] if text is not None else None
