"""MinIO's ListenBucketNotification: the events of a bucket, a line each, for as long as somebody listens.

https://min.io/docs/minio/linux/developers/python/API.html#listen-bucket-notification
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

from catalog.changes import Changes
from catalog.errors import CatalogUnusable
from catalog.events import Event, event_of
from catalog.notifications import EVENTS, WILDCARDS, expanded
from catalog.records import Bucket, ObjectChanged, VersionUpdated
from gateway.notifications.message import listened
from gateway.operations import Context
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

CONTENT_TYPE = "text/event-stream"  # as MinIO has it; the lines are JSON
PAGE = 64  # mutations at once: they are read on the event loop
POLL = 0.1  # seconds
SIGN = 0.5  # seconds without an event after which a sign of life is sent
BLANK, EMPTY = b" ", b'{"Records":[]}\n'
MOST = 32  # listeners of a worker: each of them reads the log by itself

# Events of MinIO's that clients name among others, and that never come.
NEVER = (
    *("s3:ObjectAccessed:", "s3:ObjectCreated:", "s3:ObjectRemoved:", "s3:ObjectRestore:", "s3:ObjectTransition:"),
    *("s3:Replication:", "s3:BucketCreated:", "s3:BucketRemoved:", "s3:Scanner:"),
)


@operation
async def listen_bucket_notification(
    cx: Context, bucket: str, prefix: str | None = None, suffix: str | None = None, ping: str | None = None
) -> dict[str, Any]:
    """With `ping` a sign of life is a line with no records, sent after so many seconds; else a blank."""
    events = wanted(cx.request.raw_query)
    if Listening.count >= MOST:
        raise S3Error("SlowDown")
    pause = float(ping) if ping and ping.isdecimal() and int(ping) else 0.0
    return {"content_type": CONTENT_TYPE, "body": Listening(cx, events, prefix or "", suffix or "", pause)}


def wanted(query: bytes) -> frozenset[str]:
    """Raises InvalidArgument."""
    named = tuple(value for name, value in parse_qsl(query.decode("latin-1")) if name == "events" and value)
    for event in named:
        if event not in EVENTS and event not in WILDCARDS and not event.startswith(NEVER):
            raise S3Error("InvalidArgument", "A specified event is not supported for notifications.")
    return expanded(named)


class Listening:
    """An answer without an end, from now on. Who takes it more slowly than the log goes misses some."""

    count = 0  # of this process

    def __init__(self, cx: Context, events: frozenset[str], prefix: str, suffix: str, ping: float) -> None:
        self._bucket: Bucket = cx.here
        self._events = events
        self._prefix, self._suffix = prefix, suffix
        self._sign, self._every = (EMPTY, ping) if ping else (BLANK, SIGN)
        self._changes: Changes = cx.catalog.tail().changes()
        self._open = True
        Listening.count += 1

    async def __aiter__(self) -> AsyncIterator[bytes]:
        said = time.monotonic()
        yield BLANK
        while self._open:
            lines = self._lines()
            if lines:
                yield lines
                said = time.monotonic()
            elif time.monotonic() >= said + self._every:
                yield self._sign
                said = time.monotonic()
            await asyncio.sleep(0 if self._changes.seq < self._changes.end() else POLL)

    def sources(self) -> AsyncIterator[bytes]:
        return aiter(self)

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            Listening.count -= 1

    def _lines(self) -> bytes:
        try:
            records = self._changes.read(PAGE)
        except CatalogUnusable:
            self._changes.seek(self._changes.seq)
            return b""
        found = (
            event_of(seq, record, record.mutation)
            for seq, record in records
            if isinstance(record.mutation, ObjectChanged | VersionUpdated)
            and record.mutation.bucket_id == self._bucket.id
        )
        return b"".join(listened(event, self._bucket) for event in found if event is not None and self._means(event))

    def _means(self, event: Event) -> bool:
        return event.name in self._events and event.key.startswith(self._prefix) and event.key.endswith(self._suffix)
