"""Whole runs over a real data folder, whose days have a millisecond, against a model in plain Python."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from catalog import Catalog
from catalog.lifecycle import (
    SETTING,
    AbortIncompleteMultipartUpload,
    Configuration,
    Expiration,
    Filter,
    NoncurrentVersionExpiration,
    Rule,
    Tag,
)
from catalog.records import Bucket, Lock, ObjectLock, Origin, Upload, Version
from gateway.lifecycle.report import Report, last
from gateway.lifecycle.run import Run

ORIGIN = Origin("root")
DRAFT = Version(0, "", 0, "5d41402abc4b2a76b9719d911017c592", 5, "STANDARD", "root")
EVERY = Filter()
KEYS = ("a", "b/1", "b/2")
RULES = [
    Rule("Enabled", "expire", filter=EVERY, expiration=Expiration(days=6)),
    Rule("Enabled", "expire-b", filter=Filter(prefix="b/"), expiration=Expiration(days=2)),
    Rule("Enabled", "tagged", filter=Filter(tag=Tag("t", "1")), expiration=Expiration(date=0)),
    Rule("Enabled", "markers", filter=EVERY, expiration=Expiration(expired_object_delete_marker=True)),
    Rule("Enabled", "old", filter=EVERY, noncurrent_version_expiration=NoncurrentVersionExpiration(4)),
    Rule("Enabled", "some", filter=EVERY, noncurrent_version_expiration=NoncurrentVersionExpiration(1, 2)),
    Rule("Enabled", "small", filter=Filter(object_size_less_than=3), expiration=Expiration(days=1)),
    Rule("Disabled", "not", filter=EVERY, expiration=Expiration(date=0)),
]


@dataclass
class Held:
    version: Version
    hidden: int = 0  # milliseconds; of the newest nothing


@dataclass
class Model:
    """The versions of each key, the newest first, as a bucket's versioning makes them; and what rules make of them."""

    versioning: str
    keys: dict[str, list[Held]] = field(default_factory=dict)

    def put(self, key: str, version: Version) -> None:
        held = self.keys.setdefault(key, [])
        held[:] = [each for each in held if each.version.version_id != version.version_id]
        if held and not held[0].hidden:
            held[0].hidden = version.modified
        held.insert(0, Held(version))

    def remove(self, key: str, version_id: str) -> None:
        held = self.keys[key]
        held[:] = [each for each in held if each.version.version_id != version_id]
        if held:
            held[0].hidden = 0

    def carry_out(self, rules: list[Rule], now: int) -> dict[str, list[Any]]:
        """What is left: of each version its id, or `marker` for a delete marker that came."""
        enabled = [rule for rule in rules if rule.status == "Enabled"]
        for key in sorted(self.keys):
            for rule in enabled:
                self._noncurrent(key, rule, now)
        left: dict[str, list[Any]] = {}
        for key, held in self.keys.items():
            left[key] = [each.version.version_id for each in held]
            if held and any(self._expires(key, held[0].version, rule, now) for rule in enabled):
                if held[0].version.delete_marker:
                    left[key] = left[key] if len(held) > 1 else []
                elif not self.versioning:
                    left[key] = []
                else:
                    ids = left[key] if self.versioning == "Enabled" else [id for id in left[key] if id != "null"]
                    left[key] = ["marker", *ids]
                    if not ids and any(self._at_once(key, rule) for rule in enabled):
                        left[key] = []
        return {key: ids for key, ids in left.items() if ids}

    def _noncurrent(self, key: str, rule: Rule, now: int) -> None:
        removal = rule.noncurrent_version_expiration
        if removal is None or removal.noncurrent_days is None or not self.versioning:
            return
        held = self.keys[key]
        for each in reversed(held[1:]):
            newer = held.index(each) - 1
            if (
                each.hidden + removal.noncurrent_days + 1 <= now
                and newer >= (removal.newer_noncurrent_versions or 0)
                and rule.scope.holds(key, each.version.size, each.version.tags)
            ):
                held.remove(each)

    @staticmethod
    def _at_once(key: str, rule: Rule) -> bool:
        """Whether a delete marker that has just come goes, being alone: where it took a null version's place."""
        action = rule.expiration
        return action is not None and action.days is None and rule.scope.holds(key, 0, None)

    @staticmethod
    def _expires(key: str, version: Version, rule: Rule, now: int) -> bool:
        action = rule.expiration
        if action is None or not rule.scope.holds(key, version.size, version.tags):
            return False
        if action.days is not None:
            return version.modified + action.days + 1 <= now
        return action.date is not None or ((action.expired_object_delete_marker or False) and version.delete_marker)


async def make(catalog: Catalog, versioning: str, rules: list[Rule]) -> Bucket:
    bucket = await catalog.create_bucket(ORIGIN, "bucket", "root", "us-east-1")
    return await change(catalog, bucket, versioning, rules)


async def change(catalog: Catalog, bucket: Bucket, versioning: str, rules: list[Rule]) -> Bucket:
    kept = {SETTING: msgspec.json.encode(Configuration(tuple(rules))).decode()}
    return await catalog.update_bucket(
        ORIGIN,
        bucket.name,
        lambda found: msgspec.structs.replace(found, versioning=versioning, settings=kept),
    )


async def act(catalog: Catalog, bucket: Bucket, model: Model, chance: random.Random) -> None:
    key = chance.choice(KEYS)
    match chance.randrange(6):
        case 0 if model.keys.get(key):
            gone = chance.choice(model.keys[key]).version.version_id
            await catalog.delete(ORIGIN, bucket, key, gone)
            model.remove(key, gone)
        case 1:
            deleted = await catalog.delete(ORIGIN, bucket, key)
            if not model.versioning:
                model.keys[key] = []
            else:
                marker = catalog.expiring.standing(bucket, key, catalog.end().seq)
                assert deleted.delete_marker and marker is not None
                model.put(key, marker.version)
        case _:
            size = chance.choice([0, 2, 5])
            tags = chance.choice([None, None, {"t": "1"}, {"t": "2"}])
            draft = msgspec.structs.replace(DRAFT, size=size, tags=tags)
            version = await catalog.put(ORIGIN, bucket, key, draft, bytes(size))
            model.put(key, version)


def left(catalog: Catalog, bucket: Bucket, before: int) -> dict[str, list[Any]]:
    found: dict[str, list[tuple[int, Any]]] = {}
    for seq in range(catalog.end().seq, 0, -1):
        for key in KEYS:
            held = catalog.expiring.standing(bucket, key, seq)
            if held is not None:
                found.setdefault(key, []).append((seq, "marker" if seq > before else held.version.version_id))
    return {key: [id for _, id in held] for key, held in found.items()}


@pytest.mark.parametrize("versioning", ["", "Enabled", "Suspended"])
@pytest.mark.parametrize("seed", range(6))
async def test_leaves_what_the_rules_leave(tmp_path: Path, versioning: str, seed: int) -> None:
    chance = random.Random(f"{versioning} {seed}")
    rules = chance.sample(RULES, chance.randint(1, len(RULES)))
    catalog = Catalog.open(tmp_path)
    try:
        bucket = await make(catalog, "Enabled" if versioning else "", rules)
        model = Model("Enabled" if versioning else "")
        for number in range(40):
            if number == 20:
                bucket = await change(catalog, bucket, versioning, rules)
                model.versioning = versioning
            await act(catalog, bucket, model, chance)
            await asyncio.sleep(chance.choice([0, 0.0005, 0.001]))
        now = max((each.version.modified for held in model.keys.values() for each in held), default=0)
        now += chance.randint(0, 6)
        before = catalog.end().seq
        planned = Report(0.0)
        await Run(catalog, tmp_path, planned, now=now, day=1, removing=False).run()
        assert catalog.end().seq == before
        report = Report(0.0)
        await Run(catalog, tmp_path, report, now=now, day=1).run()
        assert left(catalog, bucket, before) == model.carry_out(rules, now)
        assert report.finished and report.passed == 0 and report.buckets == 1
        assert planned.done.get("remove noncurrent", 0) >= report.done.get("remove noncurrent", 0)
        assert catalog.end().seq - before == sum(report.done.values())
        for _ in range(4):  # what came on top may leave more to do, but not for ever
            report = Report(0.0)
            await Run(catalog, tmp_path, report, now=now, day=1).run()
        assert not report.done
    finally:
        await catalog.close()


async def test_what_is_locked_stays_and_is_counted(tmp_path: Path) -> None:
    """An expiration hides it, as a client's delete does."""
    rules = [Rule("Enabled", "a", filter=EVERY, noncurrent_version_expiration=NoncurrentVersionExpiration(1))]
    catalog = Catalog.open(tmp_path)
    try:
        bucket = await make(catalog, "Enabled", rules)
        await catalog.update_bucket(
            ORIGIN, bucket.name, lambda found: msgspec.structs.replace(found, object_lock=ObjectLock())
        )
        held = msgspec.structs.replace(DRAFT, lock=Lock("GOVERNANCE", 1 << 50))
        locked = await catalog.put(ORIGIN, catalog.bucket("bucket"), "k", held, b"hello")
        await catalog.put(ORIGIN, bucket, "k", DRAFT, b"hello")
        last_one = await catalog.put(ORIGIN, bucket, "k", DRAFT, b"hello")
        report = Report(0.0)
        await Run(catalog, tmp_path, report, now=last_one.modified + 5, day=1).run()
        assert (report.done, report.protected) == ({"remove noncurrent": 1}, 1)
        assert catalog.get(bucket, "k", locked.version_id) == locked
    finally:
        await catalog.close()


async def test_uploads_that_are_old_enough_are_aborted(tmp_path: Path) -> None:
    rules = [Rule("Enabled", "a", filter=Filter(prefix="a"), abort_incomplete_multipart_upload=ABORTING)]
    catalog = Catalog.open(tmp_path)
    try:
        bucket = await make(catalog, "", rules)
        old, other = [await catalog.create_upload(ORIGIN, bucket, upload(bucket, key)) for key in ("a1", "b")]
        await asyncio.sleep(0.01)
        young = await catalog.create_upload(ORIGIN, bucket, upload(bucket, "a2"))
        report = Report(0.0)
        await Run(catalog, tmp_path, report, now=old.initiated + 4, day=1).run()
        assert report.done == {"abort upload": 1}
        assert [each.upload_id for each in catalog.list_uploads(bucket).items] == [young.upload_id, other.upload_id]
    finally:
        await catalog.close()


ABORTING = AbortIncompleteMultipartUpload(3)


def upload(bucket: Bucket, key: str) -> Upload:
    return Upload("", bucket.id, key, 0, "root")


async def test_it_is_bound_to_a_rate_and_ends_where_it_is_told_to(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    try:
        bucket = await make(catalog, "", [Rule("Enabled", "a", filter=EVERY, expiration=Expiration(date=0))])
        await asyncio.gather(*(catalog.put(ORIGIN, bucket, f"{n:04}", DRAFT, b"hello") for n in range(200)))
        report, began = Report(0.0), time.monotonic()
        stopped = [False] * 4 + [True] * 100
        await Run(catalog, tmp_path, report, rate=500, stopping=lambda: stopped.pop(0)).run()
        assert 0 < report.done["expire"] < 200 and not report.finished
        done = last(tmp_path)
        assert done is not None and not done.finished and done.at_bucket == "bucket"
        rest = Report(0.0)
        await Run(catalog, tmp_path, rest, rate=500).run()
        assert report.done["expire"] + rest.done["expire"] == 200
        assert rest.bytes == 5 * rest.done["expire"]
        assert time.monotonic() - began >= 200 / 500
        assert last(tmp_path) == rest and rest.finished
    finally:
        await catalog.close()


async def test_rules_that_are_taken_back_in_between_are_not_carried_out_any_further(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    try:
        bucket = await make(catalog, "", [Rule("Enabled", "a", filter=EVERY, expiration=Expiration(date=0))])
        await asyncio.gather(*(catalog.put(ORIGIN, bucket, f"{n:04}", DRAFT, b"hello") for n in range(200)))
        taking: list[asyncio.Future[Bucket]] = []

        def take_back() -> bool:
            if catalog.end().seq > before and not taking:
                taking.append(asyncio.ensure_future(change(catalog, bucket, "", [])))
            return False

        before, report = catalog.end().seq, Report(0.0)
        await Run(catalog, tmp_path, report, stopping=take_back).run()
        assert taking[0].done() and 0 < report.done["expire"] < 200
    finally:
        await catalog.close()


async def test_rules_that_were_taken_back_are_not_carried_out(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    try:
        rules = [Rule("Enabled", "a", filter=EVERY, expiration=Expiration(date=0))]
        bucket = await make(catalog, "", rules)
        await catalog.put(ORIGIN, bucket, "k", DRAFT, b"hello")
        run = Run(catalog, tmp_path, Report(0.0))
        await change(catalog, bucket, "", [])
        await run._bucket(bucket)
        assert catalog.get(bucket, "k").size == 5
    finally:
        await catalog.close()
