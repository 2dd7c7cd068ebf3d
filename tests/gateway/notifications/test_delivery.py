from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from catalog import Catalog
from catalog.notifications import SETTING, Configuration, Rule
from catalog.records import Bucket, Origin, Version
from conformance.receiver import NAME, Receiver, receiving
from gateway.notifications.delivery import Delivery
from gateway.notifications.progress import FILE, Progress, load
from gateway.notifications.webhook import Target
from tests.catalog.compacting import into_database

ORIGIN = Origin("user", "192.0.2.1", "REQUEST")
BODY = bytes(60_000)


async def put(catalog: Catalog, bucket: Bucket, key: str) -> Version:
    draft = Version(0, "", 0, "e" * 32, len(BODY), "STANDARD", "owner")
    return await catalog.put(ORIGIN, bucket, key, draft, BODY)


async def notifying(catalog: Catalog, since: int = 0) -> Bucket:
    """A bucket with a rule that holds from a mutation on."""
    rule = Rule("rule", "queue_configurations", f"arn:minio:sqs::{NAME}:webhook", ("s3:ObjectCreated:*",), None, since)
    settings = {SETTING: msgspec.json.encode(Configuration((rule,))).decode()}
    return await catalog.create_bucket(ORIGIN, "bucket", "owner", "us-east-1", settings)


@asynccontextmanager
async def delivering(catalog: Catalog, receiver: Receiver, told: dict[str, Progress]) -> AsyncIterator[None]:
    delivery = Delivery(catalog, catalog.folder.path, Target(NAME, receiver.url), told)
    running = asyncio.ensure_future(delivery.run())
    yield
    running.cancel()


async def delivered(catalog: Catalog, seq: int) -> Progress:
    """How far it is, once that is so far."""
    await until(lambda: load(catalog.folder.path)[NAME].delivered >= seq)
    return load(catalog.folder.path)[NAME]


async def until(so: Callable[[], bool]) -> None:
    while True:
        if so():
            return
        await asyncio.sleep(0.01)


def keys(receiver: Receiver) -> list[str]:
    return sorted(taken.key for taken in receiver.events())


async def test_begins_where_the_first_rule_holds(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await notifying(catalog, since=2)
    versions = [await put(catalog, bucket, f"key {number}") for number in range(3)]
    assert [version.seq for version in versions] == [2, 3, 4]
    with receiving() as receiver:
        async with delivering(catalog, receiver, {}):
            found = await delivered(catalog, 4)
        assert keys(receiver) == ["key 1", "key 2"]
        assert (found.messages, found.failures) == (2, 0)
        async with delivering(catalog, receiver, load(tmp_path)):  # goes on where it was left
            await put(catalog, bucket, "key 3")
            await delivered(catalog, 5)
        assert keys(receiver) == ["key 1", "key 2", "key 3"]
    await catalog.close()


async def test_begins_at_the_end_where_there_is_no_rule(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    await catalog.create_bucket(ORIGIN, "another", "owner", "us-east-1")
    with receiving() as receiver:
        async with delivering(catalog, receiver, {}):
            assert load(tmp_path) == {NAME: Progress(1)}
            bucket = await notifying(catalog, since=1)
            await put(catalog, bucket, "key")
            await delivered(catalog, 3)
        assert keys(receiver) == ["key"]
    await catalog.close()


async def test_is_not_ahead_of_a_folder_of_before(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await notifying(catalog)
    with receiving() as receiver:
        async with delivering(catalog, receiver, {NAME: Progress(100)}):
            assert load(tmp_path)[NAME].delivered == 1
            await put(catalog, bucket, "key")
            await delivered(catalog, 2)
        assert keys(receiver) == ["key"]
    await catalog.close()


async def test_what_the_log_has_no_more_comes_out_of_the_journal(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await notifying(catalog)
    seqs = [(await put(catalog, bucket, f"key {number % 5}")).seq for number in range(120)]
    for number in range(5):
        await catalog.delete(ORIGIN, bucket, f"key {number}")
    position, tail = into_database(catalog), catalog.tail()
    while tail.drop_dead_segments(position):
        pass
    tail.close()
    assert catalog.tail().changes().seek(0) > 60
    with receiving() as receiver:
        async with delivering(catalog, receiver, {}):
            await delivered(catalog, seqs[-1] + 5)
        told = [int(each) for sequencers in receiver.by_key().values() for each in map(hexadecimal, sequencers)]
        assert sorted(told) == seqs
        assert all(sequencers == sorted(sequencers) for sequencers in receiver.by_key().values())
    await catalog.close()


def hexadecimal(text: str) -> int:
    return int(text, 16)


async def test_one_that_fails_keeps_back_only_its_own_key(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await notifying(catalog)

    def answer(message: dict[str, Any]) -> int:
        return 500 if message["Key"] == "bucket/bad" else 200

    with receiving() as receiver:
        receiver.answer = answer
        for key in ("bad", "good", "bad", "good"):
            await put(catalog, bucket, key)
        async with delivering(catalog, receiver, {}):
            await until(lambda: keys(receiver) == ["good", "good"] and receiver.refused > 2)
            await until(lambda: load(tmp_path)[NAME].failures > 0)
            found = load(tmp_path)[NAME]
            assert (found.delivered, found.error) == (0, "it answered 500")
            assert found.failing_since > 0
            receiver.answer = lambda message: 200
            found = await delivered(catalog, 5)
            assert (found.failures, found.failing_since, found.messages) == (0, 0.0, 4)
        assert keys(receiver) == ["bad", "bad", "good", "good"]
    await catalog.close()


async def test_how_far_others_are_stays(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    with receiving() as receiver:
        async with delivering(catalog, receiver, {"another": Progress(3, 2)}):
            assert load(tmp_path)["another"] == Progress(3, 2)
    assert set(json.loads((tmp_path / FILE).read_text())) == {"another", NAME}
    await catalog.close()
