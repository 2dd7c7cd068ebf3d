from __future__ import annotations

import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from catalog import Catalog
from catalog.events import Event
from catalog.notifications import PUT, SETTING, Configuration, Rule
from catalog.records import (
    Bucket,
    BucketPut,
    BucketRemoved,
    LogRecord,
    Mutation,
    ObjectChanged,
    Origin,
    Removed,
    UploadAborted,
)
from gateway.notifications.watch import Watch

REMOVED = ("s3:ObjectRemoved:*",)


@pytest.fixture
async def catalog() -> AsyncIterator[Catalog]:
    opened = Catalog.in_memory()
    yield opened
    await opened.close()


def rule(target: str = "hook", since: int = 0, id: str = "rule", events: tuple[str, ...] = REMOVED) -> Rule:
    return Rule(id, "queue_configurations", f"arn:minio:sqs::{target}:webhook", events, None, since)


def bucket(*rules: Rule, id: int = 1, test: bool = True) -> Bucket:
    settings = {SETTING: msgspec.json.encode(Configuration(rules, test)).decode()} if rules else None
    return Bucket(id, f"bucket-{id}", "owner", 0, "us-east-1", settings=settings)


def said(watch: Watch, seq: int, mutation: Mutation, operation: str = "") -> list[dict[str, str]]:
    record = LogRecord(0, Origin("user", operation=operation), mutation)
    return [json.loads(message.body) for message in watch.messages(seq, record)]


def removal(id: int = 1) -> ObjectChanged:
    return ObjectChanged(id, "key", None, [Removed(1, "null")])


def test_rules_are_followed_as_they_come_and_go() -> None:
    watch = Watch("hook")
    assert said(watch, 1, removal()) == []
    said(watch, 2, BucketPut(bucket(rule())))
    (message,) = said(watch, 3, removal())
    assert message["Key"] == "bucket-1/key"
    assert said(watch, 4, removal(2)) == []
    assert said(watch, 4, UploadAborted(1, "key", "upload")) == []
    said(watch, 5, BucketPut(bucket(rule("another"))))
    assert said(watch, 6, removal()) == []
    said(watch, 7, BucketPut(bucket(rule(id="a"), rule("another"), rule(id="b"))))
    assert len(said(watch, 8, removal())) == 2
    said(watch, 9, BucketRemoved(1, "bucket-1"))
    assert said(watch, 10, removal()) == []


@pytest.mark.parametrize(
    ("given", "operation", "tests"),
    [
        (bucket(rule()), PUT, 1),
        (bucket(rule()), "", 0),
        (bucket(rule(), test=False), PUT, 0),
        (bucket(rule("another")), PUT, 0),
        (bucket(), PUT, 0),
    ],
)
def test_who_is_told_of_a_configuration(given: Bucket, operation: str, tests: int) -> None:
    messages = said(Watch("hook"), 1, BucketPut(given), operation)
    assert [message["Event"] for message in messages] == ["s3:TestEvent"] * tests


async def test_rules_that_were_there_say_from_where_on(catalog: Catalog) -> None:
    origin = Origin("user")
    for id, since in ((1, 7), (2, 5)):
        made = bucket(rule(since=since), rule("another", 1), id=id)
        await catalog.create_bucket(origin, made.name, "owner", "us-east-1", made.settings)
    await catalog.create_bucket(origin, "bucket-3", "owner", "us-east-1")
    watch = Watch("hook")
    assert watch.since is None
    watch.load(catalog)
    assert watch.since == 5
    assert said(watch, 7, removal()) == []
    assert len(said(watch, 8, removal())) == 1
    assert len(said(watch, 7, removal(2))) == 1


async def test_what_the_journal_tells_is_told_by_the_rules_of_now(catalog: Catalog) -> None:
    made = bucket(rule(since=7))
    await catalog.create_bucket(Origin("user"), made.name, "owner", "us-east-1", made.settings)
    watch = Watch("hook")
    watch.load(catalog)
    for seq, name, count in ((7, "bucket-1", 0), (8, "bucket-1", 1), (8, "bucket-2", 0)):
        event = Event(seq, "s3:ObjectRemoved:Delete", 0, Origin(), "key", "null")
        assert len(list(watch.messages_of(name, event))) == count


def test_what_is_of_one_key_has_one_order() -> None:
    watch = Watch("hook")
    said(watch, 1, BucketPut(bucket(rule())))
    record = LogRecord(0, Origin(), removal())
    (one,), (other,) = watch.messages(2, record), watch.messages(3, record)
    assert one.order == other.order == (1, "key")
    assert one.body != other.body
