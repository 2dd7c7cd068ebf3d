from __future__ import annotations

import msgspec
import pytest

from catalog import Catalog
from catalog.errors import NoObject
from catalog.lifecycle import EXPIRE, REMOVE_MARKER, REMOVE_NONCURRENT, Scope, Step
from catalog.records import Bucket, Origin, Version
from tests.catalog.conftest import ORIGIN

EXPIRING = Step("rule", EXPIRE, Scope(), None)
MARKERS = Step("rule", REMOVE_MARKER, Scope(), None)
NONCURRENT = Step("rule", REMOVE_NONCURRENT, Scope(), None)
BY_LIFECYCLE = Origin("ducket:lifecycle", request_id="rule")


async def versioned(catalog: Catalog, bucket: Bucket, status: str = "Enabled") -> Bucket:
    return await catalog.update_bucket(
        ORIGIN, bucket.name, lambda found: msgspec.structs.replace(found, versioning=status)
    )


async def put(catalog: Catalog, bucket: Bucket, draft: Version, times: int = 1) -> list[Version]:
    return [await catalog.put(ORIGIN, bucket, "k", draft, b"hello") for _ in range(times)]


async def expired(catalog: Catalog, bucket: Bucket, seq: int, step: Step, as_of: int | None = None) -> bool:
    until = catalog.end().seq if as_of is None else as_of
    return await catalog.expiring.expire(BY_LIFECYCLE, bucket, "k", seq, step, until) is not None


def ids(catalog: Catalog, bucket: Bucket) -> list[tuple[int, bool]]:
    """Of each version of the key its sequence number, and whether it is a delete marker; the newest first."""
    end = catalog.end().seq
    held = [catalog.expiring.standing(bucket, "k", seq, 0) for seq in range(end, 0, -1)]
    return [(each.version.seq, each.version.delete_marker) for each in held if each is not None]


async def test_how_versions_stand(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    bucket = await versioned(catalog, bucket)
    first, second, third, fourth = await put(catalog, bucket, draft, 4)

    def stand(version: Version, most: int = 9) -> tuple[bool, int, int | None, bool]:
        held = catalog.expiring.standing(bucket, "k", version.seq, most)
        assert held is not None and held.version == version
        return held.latest, held.newer, held.successor, held.alone

    assert stand(fourth) == (True, 0, None, False)
    assert stand(third) == (False, 0, fourth.seq, False)
    assert stand(second) == (False, 1, third.seq, False)
    assert stand(first) == (False, 2, second.seq, False)
    assert stand(first, 1)[1] >= 1
    await catalog.delete(ORIGIN, bucket, "k")
    marker = catalog.end().seq
    assert stand(fourth) == (False, 0, marker, False)
    assert stand(first) == (False, 3, second.seq, False)
    for version in (first, second, third, fourth):
        held = catalog.expiring.standing(bucket, "k", marker, 0)
        assert held is not None and (held.latest, held.alone) == (True, False)
        await catalog.delete(ORIGIN, bucket, "k", version.version_id)
    held = catalog.expiring.standing(bucket, "k", marker, 0)
    assert held is not None and (held.latest, held.alone) == (True, True)
    assert catalog.expiring.standing(bucket, "k", fourth.seq) is None
    assert catalog.expiring.standing(bucket, "other", marker) is None


async def test_an_object_without_versions_is_gone(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    (version,) = await put(catalog, bucket, draft)
    assert await expired(catalog, bucket, version.seq, EXPIRING)
    assert ids(catalog, bucket) == []


@pytest.mark.parametrize(("status", "left"), [("Enabled", 3), ("Suspended", 2)])
async def test_a_delete_marker_comes_on_top_of_a_version(
    catalog: Catalog, bucket: Bucket, draft: Version, status: str, left: int
) -> None:
    """It takes the place of a null version."""
    enabled = await versioned(catalog, bucket)
    (first,) = await put(catalog, enabled, draft)
    bucket = await versioned(catalog, bucket, status)
    (second,) = await put(catalog, bucket, draft)
    assert await expired(catalog, bucket, second.seq, EXPIRING)
    marker, *others = ids(catalog, bucket)
    assert marker == (catalog.end().seq, True)
    assert others == [(version.seq, False) for version in (second, first)][3 - left :]
    assert not await expired(catalog, bucket, marker[0], EXPIRING)


async def test_what_was_written_or_deleted_meanwhile_wins(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    bucket = await versioned(catalog, bucket)
    first, second = await put(catalog, bucket, draft, 2)
    assert not await expired(catalog, bucket, first.seq, EXPIRING)
    await catalog.delete(ORIGIN, bucket, "k")
    assert not await expired(catalog, bucket, second.seq, EXPIRING)
    marker = catalog.end().seq
    assert not await expired(catalog, bucket, marker, MARKERS)
    assert len(ids(catalog, bucket)) == 3
    await catalog.delete(ORIGIN, bucket, "k", second.version_id)
    assert not await expired(catalog, bucket, second.seq, NONCURRENT)


async def test_a_version_that_was_brought_back_stays(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    """Also where it was hidden again: its days begin anew."""
    bucket = await versioned(catalog, bucket)
    first, second = await put(catalog, bucket, draft, 2)
    as_of = catalog.end().seq
    await catalog.delete(ORIGIN, bucket, "k", second.version_id)
    assert not await expired(catalog, bucket, first.seq, NONCURRENT, as_of)
    (third,) = await put(catalog, bucket, draft)
    assert not await expired(catalog, bucket, first.seq, NONCURRENT, as_of)
    assert await expired(catalog, bucket, first.seq, NONCURRENT)
    assert ids(catalog, bucket) == [(third.seq, False)]


async def test_what_a_scope_does_not_hold_for_any_more_stays(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    (version,) = await put(catalog, bucket, msgspec.structs.replace(draft, tags={"keep": "no"}))
    step = Step("rule", EXPIRE, Scope(tags={"keep": "no"}), None)
    await catalog.update_version(
        ORIGIN, bucket, "k", None, lambda found: msgspec.structs.replace(found, tags={"keep": "yes"})
    )
    assert not await expired(catalog, bucket, version.seq, step)
    assert catalog.get(bucket, "k").seq == version.seq


@pytest.mark.parametrize("newer", [0, 1, 3, 4])
async def test_so_many_newer_noncurrent_versions_stay(
    catalog: Catalog, bucket: Bucket, draft: Version, newer: int
) -> None:
    bucket = await versioned(catalog, bucket)
    made = await put(catalog, bucket, draft, 5)
    step = Step("rule", REMOVE_NONCURRENT, Scope(), None, newer)
    done = [await expired(catalog, bucket, version.seq, step) for version in made]
    assert sum(done) == 4 - newer
    assert len(ids(catalog, bucket)) == 1 + newer
    assert catalog.get(bucket, "k") == made[-1]


async def test_a_delete_marker_goes_once_it_is_alone(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    bucket = await versioned(catalog, bucket)
    (version,) = await put(catalog, bucket, draft)
    await catalog.delete(ORIGIN, bucket, "k")
    marker = catalog.end().seq
    assert not await expired(catalog, bucket, marker, MARKERS)
    assert await expired(catalog, bucket, version.seq, NONCURRENT)
    assert await expired(catalog, bucket, marker, MARKERS)
    assert ids(catalog, bucket) == []
    with pytest.raises(NoObject):
        catalog.get(bucket, "k")
