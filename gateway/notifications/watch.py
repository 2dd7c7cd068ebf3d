"""What is told to one target: the rules of all buckets that name it, as they are at the place where it reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from catalog import Catalog
from catalog.events import Event, event_of
from catalog.notifications import PUT, Rule, configuration
from catalog.records import Bucket, BucketPut, BucketRemoved, LogRecord, ObjectChanged, VersionUpdated
from gateway.notifications.message import first_message, message

BUCKETS = 1000


class Message(NamedTuple):
    """What bears the same `order` arrives in the order in which it happened."""

    order: tuple[int, str]
    body: bytes


class Watched(NamedTuple):
    bucket: Bucket
    rules: tuple[Rule, ...]


class Watch:
    def __init__(self, target: str) -> None:
        self._target = target
        self._buckets: dict[int, Watched] = {}

    def load(self, catalog: Catalog) -> None:
        """The rules as they are now. They say themselves from which mutation on they hold."""
        self._buckets.clear()
        name = ""
        while found := catalog.buckets(None, after=name, limit=BUCKETS):
            name = found[-1].name
            for bucket in found:
                self._put(bucket)

    @property
    def since(self) -> int | None:
        """The mutation behind which the first of the rules holds; None where there is no rule."""
        return min((rule.since for watched in self._buckets.values() for rule in watched.rules), default=None)

    def messages(self, seq: int, record: LogRecord) -> Iterator[Message]:
        """Of one mutation, in the order of which the rules are followed, too."""
        mutation = record.mutation
        if isinstance(mutation, ObjectChanged | VersionUpdated):
            watched = self._buckets.get(mutation.bucket_id)
            event = event_of(seq, record, mutation) if watched is not None else None
            if watched is not None and event is not None:
                yield from _told(event, watched)
        elif isinstance(mutation, BucketPut):
            self._put(mutation.bucket)
            if record.origin.operation == PUT and self._tests(mutation.bucket):
                body = first_message(mutation.bucket.name, record.time, record.origin.request_id)
                yield Message((mutation.bucket.id, ""), body)
        elif isinstance(mutation, BucketRemoved):
            self._buckets.pop(mutation.bucket_id, None)

    def messages_of(self, bucket: str, event: Event) -> Iterator[Message]:
        """Of what the journal says, by the rules as they are now."""
        for watched in self._buckets.values():
            if watched.bucket.name == bucket:
                yield from _told(event, watched)

    def _put(self, bucket: Bucket) -> None:
        found = configuration(bucket)
        rules = tuple(rule for rule in found.rules if rule.target == self._target) if found is not None else ()
        if rules:
            self._buckets[bucket.id] = Watched(bucket, rules)
        else:
            self._buckets.pop(bucket.id, None)

    def _tests(self, bucket: Bucket) -> bool:
        found = configuration(bucket)
        return found is not None and found.test and bucket.id in self._buckets


def _told(event: Event, watched: Watched) -> Iterator[Message]:
    for rule in watched.rules:
        if event.seq > rule.since and rule.means(event.name, event.key):
            yield Message((watched.bucket.id, event.key), message(event, watched.bucket, rule.id))
