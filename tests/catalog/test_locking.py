from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import Catalog
from catalog.backup import back_up, restore
from catalog.database.client import query
from catalog.errors import IsDeleteMarker, LockNeedsVersioning, NoVersion, ObjectLocked
from catalog.locking import may_become, may_end, of_new, retained
from catalog.records import Bucket, Lock, ObjectLock, Origin, Upload, Version

ORIGIN = Origin("root", "127.0.0.1", "REQ")
LATER = 4_102_444_800_000
NOW = 1_760_000_000_000
GOVERNED, COMPLYING = Lock("GOVERNANCE", NOW + 1), Lock("COMPLIANCE", NOW + 1)
LOCKS = st.builds(Lock, st.sampled_from(["", "GOVERNANCE", "COMPLIANCE"]), st.integers(NOW - 1, NOW + 6))


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.fixture
async def locked(catalog: Catalog) -> Bucket:
    return await catalog.create_bucket(ORIGIN, "locked", "root", "us-east-1", object_lock=ObjectLock())


async def hold(catalog: Catalog, bucket: Bucket, key: str, version: Version, status: str = "ON") -> Version:
    def change(found: Version) -> Version:
        return msgspec.structs.replace(found, lock=msgspec.structs.replace(found.lock or Lock(), hold=status))

    return await catalog.update_version(ORIGIN, bucket, key, version.version_id, change)


@pytest.mark.parametrize(
    "lock, now, by_anybody, by_bypass",
    [
        (Lock(), NOW, True, True),
        (Lock(hold="OFF"), NOW, True, True),
        (Lock(hold="ON"), NOW, False, False),
        (GOVERNED, NOW, False, True),
        (GOVERNED, NOW + 1, True, True),
        (COMPLYING, NOW, False, False),
        (COMPLYING, NOW + 1, True, True),
        (Lock("GOVERNANCE", NOW + 1, "ON"), NOW, False, False),
        (Lock("COMPLIANCE", NOW, "ON"), NOW, False, False),
        (Lock("COMPLIANCE", NOW + 1, "OFF"), NOW, False, False),
    ],
)
def test_what_may_end(lock: Lock, now: int, by_anybody: bool, by_bypass: bool) -> None:
    assert (may_end(lock, now, False), may_end(lock, now, True)) == (by_anybody, by_bypass)


@pytest.mark.parametrize(
    "lock, wanted, by_anybody, by_bypass",
    [
        (GOVERNED, Lock("GOVERNANCE", NOW + 1), True, True),
        (GOVERNED, Lock("GOVERNANCE", NOW + 2), True, True),
        (GOVERNED, Lock("GOVERNANCE", NOW), False, True),
        (GOVERNED, Lock("COMPLIANCE", NOW + 2), False, True),
        (GOVERNED, Lock(), False, True),
        (COMPLYING, Lock("COMPLIANCE", NOW + 1), True, True),
        (COMPLYING, Lock("COMPLIANCE", NOW + 2), True, True),
        (COMPLYING, Lock("COMPLIANCE", NOW), False, False),
        (COMPLYING, Lock("GOVERNANCE", NOW + 2), False, False),
        (COMPLYING, Lock(), False, False),
        (Lock("COMPLIANCE", NOW), Lock("GOVERNANCE", NOW + 2), True, True),
        (Lock("COMPLIANCE", NOW), Lock(), True, True),
        (Lock(hold="ON"), Lock("COMPLIANCE", NOW + 1), True, True),
    ],
)
def test_what_a_retention_may_become(lock: Lock, wanted: Lock, by_anybody: bool, by_bypass: bool) -> None:
    found = (may_become(lock, wanted, NOW, False), may_become(lock, wanted, NOW, True))
    assert found == (by_anybody, by_bypass)


@given(st.lists(st.tuples(LOCKS, st.integers(0, 2), st.booleans()), min_size=4), LOCKS)
def test_no_change_lets_a_version_end_before_it_might_have(steps: list[tuple[Lock, int, bool]], first: Lock) -> None:
    """Whatever is asked for, one after the other: who may not pass over a retention cannot change it away either."""
    lock, now = first, NOW
    for wanted, pause, bypass in steps:
        now += pause
        if may_become(lock, wanted, now, bypass):
            changed = retained(lock, wanted) or Lock()
            if not may_end(lock, now, bypass):
                assert not may_end(changed, lock.until - 1, bypass)
                assert (changed.mode, changed.until >= lock.until) == (lock.mode, True)
            lock = changed


@given(LOCKS, LOCKS)
def test_a_hold_is_untouched_by_retentions(lock: Lock, wanted: Lock) -> None:
    for status in ("ON", "OFF"):
        held = msgspec.structs.replace(lock, hold=status)
        assert retained(held, wanted) == Lock(wanted.mode, wanted.until, status)


def test_nothing_left_is_no_lock() -> None:
    assert retained(GOVERNED, Lock()) is None


@pytest.mark.parametrize(
    "rule, asked, expected",
    [
        (ObjectLock(), None, None),
        (ObjectLock(), Lock(hold="ON"), Lock(hold="ON")),
        (ObjectLock("GOVERNANCE", 2), None, Lock("GOVERNANCE", ms("2025-10-11T08:53:20"))),
        (ObjectLock("GOVERNANCE", 2), Lock(hold="ON"), Lock("GOVERNANCE", ms("2025-10-11T08:53:20"), "ON")),
        (ObjectLock("COMPLIANCE", years=100), None, Lock("COMPLIANCE", ms("2125-10-09T08:53:20"))),
        (ObjectLock("COMPLIANCE", 2), GOVERNED, GOVERNED),
    ],
)
def test_lock_of_a_new_version(rule: ObjectLock, asked: Lock | None, expected: Lock | None) -> None:
    assert of_new(rule, asked, NOW) == expected


@pytest.mark.parametrize(
    "years, until", [(1, "2029-03-01T00:00:00"), (4, "2032-02-29T00:00:00"), (72, "2100-03-01T00:00:00")]
)
def test_years_are_those_of_the_calendar(years: int, until: str) -> None:
    lock = of_new(ObjectLock("GOVERNANCE", years=years), None, ms("2028-02-29T00:00:00") + 7)
    assert lock == Lock("GOVERNANCE", ms(until) + 7)


async def test_locked_version_ends_by_nothing(catalog: Catalog, locked: Bucket, draft: Version) -> None:
    lock = Lock("COMPLIANCE", LATER)
    made = await catalog.put(ORIGIN, locked, "k", msgspec.structs.replace(draft, lock=lock), b"hello")
    for bypass in (False, True):
        with pytest.raises(ObjectLocked):
            await catalog.delete(ORIGIN, locked, "k", made.version_id, bypass=bypass)
    named = [("k", made.version_id, None)]
    (came,) = await catalog.delete_many(ORIGIN, locked, named, {("k", made.version_id)})
    assert isinstance(came, ObjectLocked)
    with pytest.raises(ObjectLocked):
        await catalog.retain(ORIGIN, locked, "k", None, Lock("COMPLIANCE", LATER - 1), bypass=True)
    assert catalog.get(locked, "k") == made
    longer = await catalog.retain(ORIGIN, locked, "k", None, Lock("COMPLIANCE", LATER + 1))
    assert longer == msgspec.structs.replace(made, lock=Lock("COMPLIANCE", LATER + 1))
    assert catalog.get(locked, "k") == longer


async def test_bypass_is_for_the_versions_named(catalog: Catalog, locked: Bucket, draft: Version) -> None:
    governed = msgspec.structs.replace(draft, lock=Lock("GOVERNANCE", LATER))
    made = [await catalog.put(ORIGIN, locked, key, governed) for key in ("a", "b")]
    named = [(key, version.version_id, None) for key, version in zip(("a", "b"), made, strict=True)]
    first, second = await catalog.delete_many(ORIGIN, locked, named, {("a", made[0].version_id)})
    assert not isinstance(first, Exception)
    assert isinstance(second, ObjectLocked)


async def test_default_is_the_one_under_the_lock(catalog: Catalog, locked: Bucket, draft: Version) -> None:
    """The bucket as the writer knows it is older than the rule."""
    await catalog.update_bucket(
        ORIGIN, "locked", lambda found: msgspec.structs.replace(found, object_lock=ObjectLock("COMPLIANCE", 1))
    )
    made = await catalog.put(ORIGIN, locked, "k", draft)
    assert made.lock == Lock("COMPLIANCE", made.modified + 86_400_000)


@pytest.mark.parametrize("change", [{"versioning": "Suspended"}, {"versioning": ""}, {"object_lock": None}])
async def test_bucket_keeps_its_lock(catalog: Catalog, locked: Bucket, change: dict[str, Any]) -> None:
    with pytest.raises(LockNeedsVersioning) as refused:
        await catalog.update_bucket(ORIGIN, "locked", lambda found: msgspec.structs.replace(found, **change))
    assert refused.value.locked
    assert catalog.bucket("locked") == locked


async def test_bucket_without_versioning_gets_none(catalog: Catalog, bucket: Bucket) -> None:
    with pytest.raises(LockNeedsVersioning) as refused:
        await catalog.update_bucket(
            ORIGIN, bucket.name, lambda found: msgspec.structs.replace(found, object_lock=ObjectLock())
        )
    assert not refused.value.locked


async def test_delete_marker_is_never_locked(catalog: Catalog, locked: Bucket, draft: Version) -> None:
    await catalog.put(ORIGIN, locked, "k", draft)
    marker = await catalog.delete(ORIGIN, locked, "k")
    with pytest.raises(IsDeleteMarker):
        await catalog.retain(ORIGIN, locked, "k", marker.version_id, Lock("COMPLIANCE", LATER))
    assert (await catalog.delete(ORIGIN, locked, "k", marker.version_id)).delete_marker


@pytest.mark.parametrize("order", permutations(("hold", "retain", "delete")))
async def test_who_comes_first_decides(
    catalog: Catalog, locked: Bucket, draft: Version, order: tuple[str, ...]
) -> None:
    """In one batch: each is decided on what those before it left."""
    made = await catalog.put(ORIGIN, locked, "k", draft)

    async def act(name: str) -> object:
        match name:
            case "hold":
                return await hold(catalog, locked, "k", made)
            case "retain":
                return await catalog.retain(ORIGIN, locked, "k", made.version_id, Lock("COMPLIANCE", LATER))
        return await catalog.delete(ORIGIN, locked, "k", made.version_id, bypass=True)

    came = await asyncio.gather(*map(act, order), return_exceptions=True)
    found = {name: type(result) for name, result in zip(order, came, strict=True)}
    if order[0] == "delete":
        assert (found["hold"], found["retain"]) == (NoVersion, NoVersion)
    else:
        assert (found["hold"], found["retain"], found["delete"]) == (Version, Version, ObjectLocked)


async def test_lock_outlives_index_and_database(tmp_path: Path, draft: Version) -> None:
    """Whatever is derived is made anew of what is left, and a restored backup holds as fast."""
    data = tmp_path / "data"
    catalog = Catalog.open(data)
    bucket = await catalog.create_bucket(ORIGIN, "locked", "root", "us-east-1", object_lock=ObjectLock("COMPLIANCE", 1))
    made = await catalog.put(ORIGIN, bucket, "k", msgspec.structs.replace(draft, lock=Lock(hold="ON")), b"hello")
    lock = made.lock
    asks = Upload("", 0, "k", 0, "root", lock=Lock("GOVERNANCE", LATER, "OFF"))
    upload = await catalog.create_upload(ORIGIN, bucket, asks)
    await catalog.close()
    statement = "SELECT object_lock_mode, object_lock_retain_until_date, object_lock_legal_hold_status FROM versions"
    shown = query(data, statement).rows
    until = datetime.fromtimestamp((made.modified + 86_400_000) / 1000, UTC).replace(tzinfo=None)
    assert [(mode, datetime.fromisoformat(str(date)), hold) for mode, date, hold in shown] == [
        ("COMPLIANCE", until, "ON")
    ]

    async def holds(data: Path) -> None:
        catalog = Catalog.open(data)
        assert catalog.bucket("locked") == bucket
        assert catalog.get(bucket, "k").lock == lock
        assert catalog.upload(bucket, "k", upload.upload_id) == upload
        with pytest.raises(ObjectLocked):
            await catalog.delete(ORIGIN, bucket, "k", made.version_id, bypass=True)
        await catalog.close()
        assert query(data, statement).rows == shown

    for lost in ("index", "catalog.duckdb"):
        path = data / lost
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        await holds(data)
    catalog = Catalog.open(data)
    back_up(catalog, tmp_path / "backup")
    catalog.release()
    restore(tmp_path / "backup", tmp_path / "restored")
    await holds(tmp_path / "restored")
