from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.database.client import fetch
from catalog.database.connection import open_database
from catalog.database.frames import Sql
from catalog.database.limits import Limits
from catalog.database.local import Local
from catalog.lifecycle import (
    ABORT,
    DAY,
    EXPIRE,
    REMOVE_MARKER,
    REMOVE_NONCURRENT,
    AbortIncompleteMultipartUpload,
    And,
    Configuration,
    Expiration,
    Filter,
    NoncurrentVersionExpiration,
    Rule,
    Scope,
    Step,
    Tag,
    expiry,
)
from catalog.queries import Reached, list_candidates
from catalog.records import NULL_VERSION
from tests.catalog.database.history import START, History, MemorySource, take_step

STEPS = st.lists(st.tuples(st.integers(0, 13), st.integers(0, 5), st.integers(0, 40)), max_size=60)
SCOPES = st.builds(
    Scope,
    st.sampled_from(["", "k", "k1", "x"]),
    st.sampled_from([{}, {}, {"t": "3"}, {"size": "10"}]),
    st.none() | st.integers(0, 20),
    st.none() | st.integers(1, 30),
)


@dataclass
class Hidden:
    """Since when versions have not been the newest of their keys, by looking at all of them after each mutation."""

    history: History
    since: dict[int, int] = field(default_factory=dict)

    def look(self, now: int) -> None:
        noncurrent = {version.seq for _, _, version, latest in self.history.all_versions() if not latest}
        self.since = {seq: self.since.get(seq, now) for seq in noncurrent}


@settings(max_examples=60, deadline=None)
@given(STEPS, SCOPES, st.integers(0, 70), st.booleans())
def test_finds_what_a_look_at_all_versions_finds(
    taken: list[tuple[int, int, int]], scope: Scope, age: int, ever: bool
) -> None:
    history = History()
    hidden = Hidden(history)
    for each in taken:
        at = history.seq
        take_step(history, *each)
        if history.seq > at:
            hidden.look(START + (history.seq - 1) * history.pause)
    before = None if ever else START + age * history.pause
    with open_database(None) as connection:
        catalog = Local(Path(), connection, MemorySource(history), Limits())
        for bucket in history.buckets.values():
            check(history, hidden, catalog, bucket.id, bucket.name, scope, before)


def check(
    history: History, hidden: Hidden, catalog: Reached, bucket_id: int, bucket: str, scope: Scope, before: int | None
) -> None:
    def found(kind: str) -> list[tuple[object, ...]]:
        step = Step("rule", kind, scope, before)
        items, after = [], None
        while True:
            page = list_candidates(catalog, bucket, step, 3, after)
            items += page.items
            if page.next is None:
                break
            after = page.next
        return [(item.key, item.upload_id or item.seq, item.size, item.milliseconds) for item in items]

    def old(time: int) -> bool:
        return before is None or time < before

    versions = sorted(
        (version.seq, key, version, latest)
        for of, key, version, latest in history.all_versions()
        if of == bucket_id and old(version.modified) and scope.holds(key, version.size, version.tags)
    )
    assert found(EXPIRE) == [
        (key, seq, version.size, version.modified)
        for seq, key, version, latest in versions
        if latest and not version.delete_marker
    ]
    assert found(REMOVE_MARKER) == [
        (key, seq, 0, version.modified) for seq, key, version, latest in versions if latest and version.delete_marker
    ]
    assert found(REMOVE_NONCURRENT) == [
        (key, seq, version.size, hidden.since[seq]) for seq, key, version, latest in versions if not latest
    ]
    if not (scope.tags or scope.above or scope.below):
        assert found(ABORT) == [
            (upload.key, upload.upload_id, 0, upload.initiated)
            for upload in history.uploads.values()
            if upload.bucket_id == bucket_id and old(upload.initiated) and upload.key.startswith(scope.prefix)
        ]


def test_a_version_that_was_brought_back_is_noncurrent_since_it_was_hidden_again() -> None:
    history = History()
    bucket = history.create_bucket("b", "Enabled")
    first = history.put(bucket.id, "k")
    second = history.put(bucket.id, "k")
    history.remove_version(bucket.id, "k", second.seq)
    third = history.put(bucket.id, "k")
    assert since(history, "b") == {first.seq: third.modified}


def test_what_hid_a_version_may_itself_be_gone() -> None:
    """In a bucket without versioning any more, the null version on top of it is replaced again and again."""
    history = History()
    bucket = history.create_bucket("b", "Enabled")
    first = history.put(bucket.id, "k")
    history.set_versioning(bucket.id, "Suspended")
    null = history.put(bucket.id, "k")
    assert null.version_id == NULL_VERSION
    history.put(bucket.id, "k")
    assert since(history, "b") == {first.seq: null.modified}


def since(history: History, bucket: str) -> dict[int, int]:
    with open_database(None) as connection:
        catalog = Local(Path(), connection, MemorySource(history), Limits())
        page = list_candidates(catalog, bucket, Step("rule", REMOVE_NONCURRENT, Scope(), None))
        return {item.seq: item.milliseconds for item in page.items if item.milliseconds is not None}


PREFIXES = st.sampled_from(["", "k", "k1", "x"])
TAGS = st.sampled_from([("t", "3"), ("size", "10"), ("t", "")])
FILTERS = st.one_of(
    st.just(Filter()),
    st.builds(Filter, PREFIXES),
    TAGS.map(lambda tag: Filter(tag=Tag(*tag))),
    st.integers(0, 20).map(lambda size: Filter(object_size_greater_than=size)),
    st.integers(1, 30).map(lambda size: Filter(object_size_less_than=size)),
    st.builds(lambda prefix, tag, size: Filter(and_=And(prefix, (Tag(*tag),), None, size)), PREFIXES, TAGS, st.none()),
    st.builds(lambda prefix, size: Filter(and_=And(prefix, None, size, 30)), PREFIXES, st.integers(0, 20)),
)
EXPIRATIONS = st.one_of(
    st.builds(Expiration, days=st.integers(1, 5) | st.just(2**31 - 1)),
    st.builds(Expiration, date=st.integers(20_370, 20_376).map(lambda day: day * DAY)),
    st.just(Expiration(expired_object_delete_marker=True)),
    st.none(),
)
GIVEN = st.lists(st.tuples(st.sampled_from(["Enabled", "Enabled", "Disabled"]), FILTERS, EXPIRATIONS), max_size=5)


@settings(max_examples=40, deadline=None)
@given(STEPS, GIVEN)
def test_when_objects_expire_is_what_the_headers_say(
    taken: list[tuple[int, int, int]], rules: list[tuple[str, Filter, Expiration | None]]
) -> None:
    history = History(pause=DAY // 7)
    for each in taken:
        take_step(history, *each)
    made = [
        Rule(status, str(number), filter=filter, expiration=action)
        for number, (status, filter, action) in enumerate(rules)
    ]
    for bucket_id in history.buckets:
        history.give_rules(bucket_id, *made)
    said = {}
    for of, key, version, latest in history.all_versions():
        due = expiry(Configuration(tuple(made)), key, version.size, version.tags, version.modified)
        if latest and not version.delete_marker and due is not None:
            said[history.buckets[of].name, key] = (min(due.time, FAR), due.rule_id)
    found = {}
    with open_database(None) as connection:
        catalog = Local(Path(), connection, MemorySource(history), Limits())
        for bucket in history.buckets.values():
            asked = "SELECT key, epoch_ms(expiration_date), rule_id FROM expirations($bucket)"
            for key, time, rule in fetch(catalog, Sql(asked, parameters={"bucket": bucket.name})).rows:
                found[bucket.name, key] = (min(time, FAR), rule)
    assert found == said


FAR = 2_000_000 * DAY  # beyond any date that a rule comes to but for the longest


def test_rules_as_a_view_has_them_and_who_sees_them() -> None:
    history = History()
    mine = history.create_bucket("mine", owner="a" * 64)
    history.create_bucket("others", owner="b" * 64)
    history.give_rules(
        mine.id,
        Rule("Enabled", "old form", prefix="p", expiration=Expiration(days=3)),
        Rule("Disabled", "b", filter=Filter(), noncurrent_version_expiration=NoncurrentVersionExpiration(3, 2)),
        Rule(
            "Enabled",
            "c",
            filter=Filter(and_=And("q", (Tag("k", "v"), Tag("l", "")), 5, 9)),
            expiration=Expiration(date=20_000 * DAY),
            abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(7),
        ),
    )
    with open_database(None) as connection:
        catalog = Local(Path(), connection, MemorySource(history), Limits())
        every = "FROM lifecycle_rules ORDER BY rule_number"
        assert fetch(catalog, Sql(every)).rows == [
            ("mine", 1, "old form", "Enabled", "p", {}, None, None, 3, *[None] * 5),
            ("mine", 2, "b", "Disabled", "", {}, None, None, None, None, None, 3, 2, None),
            ("mine", 3, "c", "Enabled", "q", {"k": "v", "l": ""}, 5, 9, None, datetime(2024, 10, 4), *[None] * 3, 7),
        ]
        assert [len(fetch(catalog, Sql(every, owner=owner)).rows) for owner in ("a" * 64, "b" * 64)] == [3, 0]
        history.give_rules(mine.id)
        assert fetch(catalog, Sql(every)).rows == []
