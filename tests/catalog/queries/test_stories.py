"""The typed queries over any history, told through the catalog's own doors, against a catalog in plain Python."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog import Catalog
from catalog.database import follower
from catalog.database.client import fetch
from catalog.database.connection import open_database
from catalog.database.frames import Sql
from catalog.database.limits import Limits
from catalog.database.local import Local
from catalog.database.tables import usage
from catalog.queries import (
    FileFilter,
    Page,
    Point,
    Reached,
    compute_version_delta,
    find_by_artifact_id,
    find_duplicates,
    get_growth,
    get_storage_usage,
    get_version_stats,
    list_files,
    list_versions,
    set_point,
)
from tests.catalog.queries.stories import (
    HOUR,
    KEYS,
    STEPS,
    Place,
    State,
    Story,
    bodies,
    counted,
    ends_of_periods,
    fits,
    folder,
    identities,
)

T = TypeVar("T")
DAYS = 400  # that a story begins ago
NOTHING = (0,) * 7
AGES = st.sampled_from([timedelta(days=days) for days in (0, 1, 300, 350, 380, 395, 500)])
STEP = st.tuples(st.sampled_from(STEPS), st.integers(0, len(KEYS) - 1), st.integers(0, 60))


@dataclass(frozen=True)
class Case:
    """A question that is put to both."""

    catalog: Reached
    story: Story
    draw: Callable[[st.SearchStrategy[Any]], Any]

    def pages(self, ask: Callable[..., Page[T]]) -> list[T]:
        """All that there is, in pages of any size, together."""
        limit = self.draw(st.sampled_from([2, 5, 1000]))
        found: list[T] = []
        after = None
        while True:
            page = ask(limit=limit, after=after)
            assert len(page.items) == limit or page.next is None
            found += page.items
            if page.next is None:
                return found
            after = page.next

    def point(self, bucket: str) -> tuple[Point, int]:
        """One that is named in any of the three ways, and the sequence number it should come to."""
        seq = self.draw(st.integers(0, len(self.story.states) - 1))
        kind = self.draw(st.sampled_from(["seq", "time", "name", "latest"]))
        if kind == "name":
            set_point(self.catalog, bucket, f"at-{seq}", seq)
            return f"at-{seq}", seq
        if kind == "time":
            at = self.story.time(max(seq, 1)) + timedelta(milliseconds=self.draw(st.sampled_from([-1, 0, 1])))
            return at, self.story.seq_at(at)
        return ("latest", len(self.story.states) - 1) if kind == "latest" else (seq, seq)


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


# No shrinking: a story of a hundred steps would shrink for minutes.
@settings(max_examples=15, deadline=None, phases=(Phase.reuse, Phase.generate), suppress_health_check=SLOW)
@given(st.data())
def test_every_question_has_the_answer_that_plain_python_has(data: st.DataObject) -> None:
    asyncio.run(tell_and_ask(data.draw))


async def tell_and_ask(draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
    """Half of it is told before the first question, which all the later ones must not be blind to."""
    start = int(time.time() * 1000) - DAYS * 24 * HOUR - HOUR // 2
    catalog = Catalog.in_memory()
    story = Story(catalog, start, draw(st.sampled_from([0, 1, 7 * HOUR, 70 * HOUR])))
    try:
        with pytest.MonkeyPatch.context() as patch, open_database(None) as connection:
            patch.setattr(usage, "SETTLE_AFTER", draw(st.sampled_from([0, 5, 1000])))
            patch.setattr(follower, "BATCH", draw(st.sampled_from([1, 3, follower.BATCH])))
            local = Local(catalog.folder.path, connection, catalog.tail(), Limits())
            case = Case(local, story, draw)
            await story.take("create_bucket", 0, 0)
            await story.take("set_versioning", draw(st.integers(0, 1)), 0)
            for steps in draw(st.lists(st.lists(STEP, min_size=10, max_size=40), min_size=1, max_size=3)):
                for step in steps:
                    await story.take(*step)
                if not story.now.versioning:
                    await story.take("create_bucket", 0, 0)
                bucket = draw(st.sampled_from(sorted(story.now.versioning)))
                for check in CHECKS:
                    check(case, bucket)
    finally:
        await catalog.close()


def files(case: Case, bucket: str) -> None:
    matching = case.draw(FILTERS)
    sort, descending = case.draw(st.sampled_from(["key", "size", "last_modified_date"])), case.draw(st.booleans())
    found = case.pages(lambda **page: list_files(case.catalog, bucket, matching, sort, descending, **page))
    assert [(each.key, each.seq, each.size, each.e_tag, each.version_id) for each in found] == in_order(
        case.story.now, bucket, matching, sort, descending
    )
    for each in found:
        (version, *_) = case.story.now.held[bucket, each.key]
        said = (each.object_tags, each.user_metadata, each.content_type, each.storage_class)
        assert said == (version.tags or {}, version.metadata or {}, version.content_type, version.storage_class)


def files_at_a_point(case: Case, bucket: str) -> None:
    matching = case.draw(FILTERS.filter(lambda matching: matching.content_type is None))
    at, seq = case.point(bucket)
    found = case.pages(lambda **page: list_files(case.catalog, bucket, matching, at=at, **page))
    then = case.story.states[seq]
    assert [(each.key, each.seq, each.size, each.e_tag, each.version_id) for each in found] == in_order(
        then, bucket, matching
    )
    assert [(each.object_tags, each.user_metadata) for each in found] == [
        (then.held[bucket, each.key][0].tags or {}, then.held[bucket, each.key][0].metadata or {}) for each in found
    ]


def in_order(
    state: State, bucket: str, matching: FileFilter, sort: str = "key", descending: bool = False
) -> list[tuple[Any, ...]]:
    found = [(key, each) for key, each in state.current(bucket).items() if fits(matching, key, each)]
    found.sort(key=lambda held: held[0].encode())
    if sort != "key" or descending:
        rank = {"key": lambda held: held[0].encode(), "size": lambda held: held[1].size}
        found.sort(key=rank.get(sort, lambda held: held[1].modified), reverse=descending)
    return [(key, each.seq, each.size, each.etag, each.version_id) for key, each in found]


FILTERS = st.builds(
    FileFilter,
    prefix=st.sampled_from(["", "", "a/", "a/[", "ä/%", "b" * 550, "none"]),
    glob=st.sampled_from([None, None, "*", "a/*", "*x", "?/?*", "a/[1]*", "*%_\\", "b*b", "**", "top"]),
    tags=st.sampled_from([{}, {}, {"keep": None}, {"keep": "1"}, {"keep": "0", "size": None}]),
    metadata=st.sampled_from([{}, {}, {"project": None}, {"project": "p1"}]),
    min_size=st.sampled_from([None, None, 0, 7, 20]),
    max_size=st.sampled_from([None, None, 20, 40]),
    min_age=st.one_of(st.none(), AGES.filter(lambda age: age.days < 380)),
    max_age=st.one_of(st.none(), AGES.filter(lambda age: age.days >= 380)),
    content_type=st.sampled_from([None, None, "image/*", "text/plain?*", "*"]),
    storage_class=st.sampled_from([None, None, "STANDARD", "STANDARD_IA", "GLACIER"]),
)


def versions(case: Case, bucket: str) -> None:
    matching = case.draw(FILTERS)
    found = case.pages(lambda **page: list_versions(case.catalog, bucket, matching, **page))
    expected = [
        (key, each.version_id, each.seq, at == 0, each.delete_marker)
        for (of, key), held in sorted(case.story.now.held.items(), key=lambda place: place[0][1].encode())
        for at, each in enumerate(held)
        if of == bucket and fits(matching, key, each)
    ]
    assert [(each.key, each.version_id, each.seq, each.is_latest, each.is_delete_marker) for each in found] == expected


def delta(case: Case, bucket: str) -> None:
    (since, first), (until, last) = sorted((case.point(bucket), case.point(bucket)), key=lambda point: point[1])
    found = case.pages(lambda **page: compute_version_delta(case.catalog, bucket, since, until, **page))
    assert [tuple(value for name, value in asdict(each).items() if name != "source_ip_address") for each in found] == [
        *changes(case.story, bucket, first, last)
    ]


def changes(story: Story, bucket: str, first: int, last: int) -> Any:
    old, new = story.states[first].current(bucket), story.states[last].current(bucket)
    for key in sorted(old.keys() | new.keys(), key=str.encode):
        before, after = old.get(key), new.get(key)
        if before and after and (before.seq, before.tags or {}) == (after.seq, after.tags or {}):
            continue
        change = "added" if before is None else "removed" if after is None else "changed"
        by = max(
            seq
            for seq in range(first + 1, last + 1)
            if story.told[seq].place == (bucket, key)
            and story.told[seq].altered in (0, after.seq if after is not None else 0)
        )
        yield (
            key,
            change,
            (after.size if after else 0) - (before.size if before else 0),
            after and after.size,
            before and before.size,
            after and after.version_id,
            before and before.version_id,
            after and after.etag,
            before and before.etag,
            by,
            story.time(by),
            story.told[by].origin.requester,
            story.told[by].origin.request_id,
        )


def stats(case: Case, bucket: str) -> None:
    at, seq = case.point(bucket)
    assert_stats(get_version_stats(case.catalog, bucket), case.story.now, bucket)
    assert_stats(get_version_stats(case.catalog, bucket, at), case.story.states[seq], bucket)


def assert_stats(found: Any, state: State, bucket: str) -> None:
    current = state.current(bucket).values()
    held = [each for (of, _), held in state.held.items() if of == bucket for each in held]
    noncurrent = [each for each in held if not each.delete_marker and each.seq not in {now.seq for now in current}]
    sizes, times = sorted(each.size for each in current), sorted(each.modified for each in current)
    assert (found.keys, found.objects) == (len({key for of, key in state.held if of == bucket}), len(sizes))
    assert (found.bytes, found.smallest, found.largest) == (
        sum(sizes),
        min(sizes, default=None),
        max(sizes, default=None),
    )
    assert found.median == (sizes[(len(sizes) - 1) // 2] if sizes else None)
    assert (found.noncurrent_versions, found.noncurrent_bytes, found.delete_markers) == (
        len(noncurrent),
        sum(each.size for each in noncurrent),
        sum(each.delete_marker for each in held),
    )
    modified = [datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None) for at in times]
    assert (found.first_modified, found.last_modified) == ((modified[0], modified[-1]) if times else (None, None))


def storage(case: Case, bucket: str) -> None:
    for by in case.draw(st.lists(st.sampled_from(sorted(GROUPS)), min_size=2, max_size=2, unique=True)):
        group = GROUPS[by]
        of = bucket if by == "prefix" else case.draw(st.sampled_from([bucket, None]))
        depth = case.draw(st.integers(0, 6)) if by == "prefix" else None
        found = get_storage_usage(case.catalog, by, of, depth, "keep" if by == "tag" else None)
        expected = counted(
            case.story.now, of, lambda place, each, group=group, depth=depth: group(place, each, depth or 0)
        )
        listed = [(each.name, *numbers(each)) for each in found.groups]
        assert {name: tuple(rest) for name, *rest in listed} == expected
        assert len(listed) == len(expected)
        assert numbers(found.total) == tuple(map(sum, zip(*expected.values(), strict=True))) or not expected
        taken = [row[2] + row[4] + row[7] for row in listed]
        assert taken == sorted(taken, reverse=True)


def numbers(each: Any) -> tuple[int, ...]:
    counts = (each.objects, each.bytes, each.noncurrent_versions, each.noncurrent_bytes, each.delete_markers)
    return (*counts, each.uploads, each.upload_bytes)


def marks_nothing(each: Any, value: str | None) -> str | None:
    return None if getattr(each, "delete_marker", False) else value


def age_of(place: Place, each: Any, depth: int) -> str:
    days = (time.time() * 1000 - getattr(each, "modified", getattr(each, "initiated", 0))) / (24 * HOUR)
    return next(
        (f"under {most} day{'s' * (most > 1)}" for most in (1, 7, 30, 90, 365) if days < most), "365 days and more"
    )


GROUPS: dict[str, Callable[[Place, Any, int], str | None]] = {
    "bucket": lambda place, each, depth: place[0],
    "prefix": lambda place, each, depth: folder(place, depth),
    "tag": lambda place, each, depth: (each.tags or {}).get("keep"),
    "storage_class": lambda place, each, depth: marks_nothing(each, each.storage_class),
    "content_type": lambda place, each, depth: marks_nothing(each, each.content_type),
    "age": age_of,
}


def growth(case: Case, bucket: str) -> None:
    every, depth = case.draw(st.sampled_from(["day", "week", "month"])), case.draw(st.integers(0, 4))
    until = datetime.now(UTC).date() - timedelta(case.draw(st.integers(0, 40)))
    found = get_growth(case.catalog, every, bucket, depth=depth, until=until, limit=100_000).items
    expected, then = [], dict[str | None, tuple[int, ...]]()
    for period, state in ends_of_periods(case.story, bucket, every, until):
        now = counted(state, bucket, lambda place, _: folder(place, depth))
        for name in now.keys() | then.keys():
            objects, size, _, noncurrent, *_ = now.get(name, NOTHING)
            more = [
                after - before for after, before in zip(now.get(name, NOTHING), then.get(name, NOTHING), strict=True)
            ]
            if objects or noncurrent or more[0] or more[3]:
                expected.append((name, period, objects, size, noncurrent, more[0], more[1], more[3]))
        then = now
    assert [astuple(each) for each in found] == sorted(expected, key=lambda row: (str(row[0]).encode(), row[1]))


def artifacts(case: Case, bucket: str) -> None:
    """By all that any version or part is known by."""
    known = [
        ((each.seq, "", 0), place, each, bodies(each)) for place, held in case.story.now.held.items() for each in held
    ]
    known += [
        ((0, upload_id, part.number), (name, upload.key), None, bodies(part))
        for upload_id, (name, upload, parts) in case.story.now.uploads.items()
        for part in parts.values()
    ]
    names = {name for _, _, each, of in known for name in {*of, *(identities(each) if each else ())}} - {"null", ""}
    wanted = case.draw(st.sampled_from(sorted(names)) if names else st.just("unheard-of"))
    expected = []
    for (seq, upload_id, number), place, each, of in sorted(known, key=lambda each: each[0]):
        kind = "body" if wanted in of else identities(each).get(wanted) if each else None
        if kind:
            named = of.get(wanted) if each else number
            expected.append((kind, *place, seq, upload_id or None, named))
    found = case.pages(lambda **page: find_by_artifact_id(case.catalog, wanted, **page))
    assert [
        (each.found_by, each.bucket, each.key, each.seq, each.upload_id, each.part_number) for each in found
    ] == expected


def duplicates(case: Case, bucket: str) -> None:
    alike: dict[tuple[str, int], list[str]] = defaultdict(list)
    for key, each in case.story.now.current(bucket).items():
        if each.size:
            alike[each.etag, each.size].append(key)
    expected = [
        (etag, size, len(keys), size * (len(keys) - 1), sorted(keys, key=str.encode))
        for (etag, size), keys in alike.items()
        if len(keys) > 1
    ]
    found = case.pages(lambda **page: find_duplicates(case.catalog, bucket, **page))
    assert [(each.e_tag, each.size, each.objects, each.bytes_wasted, each.keys) for each in found] == sorted(
        expected, key=lambda row: (-row[3], row[0], row[1])
    )


def macros(case: Case, _: str) -> None:
    """What no function asks: any time and any two points of buckets that may be gone, and every depth at once."""
    story = case.story
    bucket = case.draw(st.sampled_from(sorted({name for state in story.states for name in state.versioning})))
    first, last = sorted(case.draw(st.tuples(*[st.integers(1, len(story.states) - 1)] * 2)))
    then = story.states[story.seq_at(story.time(last))].current(bucket)
    found = asked(case, "SELECT key, seq, size FROM objects_at($bucket, $at)", bucket=bucket, at=f"{story.time(last)}")
    assert sorted(found) == sorted((key, each.seq, each.size) for key, each in then.items())
    between = "SELECT key, change, bytes FROM delta_seq($bucket, $first, $last)"
    found = asked(case, between, bucket=bucket, first=first, last=last)
    assert sorted(found) == sorted(change[:3] for change in changes(story, bucket, first, last))
    for depth in range(8) if bucket in story.now.versioning else ():
        under = counted(story.now, bucket, lambda place, _, depth=depth: folder(place, depth))
        found = asked(case, "FROM usage($bucket, $depth)", bucket=bucket, depth=depth)
        assert {name: tuple(rest) for name, *rest in found} == {
            name: numbers[:5] for name, numbers in under.items() if any(numbers[:5])
        }


def asked(case: Case, statement: str, **given: Any) -> list[tuple[Any, ...]]:
    return fetch(case.catalog, Sql(statement, parameters=given)).rows


CHECKS = (files, files_at_a_point, versions, delta, stats, storage, growth, artifacts, duplicates, macros)
