"""Lifecycle rules of a bucket: what they say of an object, and when.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec

from catalog.records import Bucket

SETTING = "lifecycle"  # the name of a bucket's configuration, which is kept as JSON
REQUESTER = "ducket:lifecycle"  # who removes what rules say; no user has such an id
ENABLED = "Enabled"
DAY = 86_400_000  # milliseconds
DEFAULT_MINIMUM = "all_storage_classes_128K"

# What a step of a run does.
EXPIRE, REMOVE_NONCURRENT, REMOVE_MARKER, ABORT = "expire", "remove noncurrent", "remove marker", "abort upload"


class Element(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class Tag(Element, frozen=True):
    key: str
    value: str


class And(Element, frozen=True):
    prefix: str | None = None
    tags: tuple[Tag, ...] | None = None
    object_size_greater_than: int | None = None
    object_size_less_than: int | None = None


class Filter(Element, frozen=True, rename={"and_": "and"}):
    prefix: str | None = None
    tag: Tag | None = None
    object_size_greater_than: int | None = None
    object_size_less_than: int | None = None
    and_: And | None = None


class Expiration(Element, frozen=True):
    """`date` is in milliseconds."""

    date: int | None = None
    days: int | None = None
    expired_object_delete_marker: bool | None = None


class NoncurrentVersionExpiration(Element, frozen=True):
    noncurrent_days: int | None = None
    newer_noncurrent_versions: int | None = None


class AbortIncompleteMultipartUpload(Element, frozen=True):
    days_after_initiation: int | None = None


class Rule(Element, frozen=True):
    """As it was given, with an id. `prefix` is the place of the filter in the form of before there were filters.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
    """

    status: str
    id: str = ""
    prefix: str | None = None
    filter: Filter | None = None
    expiration: Expiration | None = None
    noncurrent_version_expiration: NoncurrentVersionExpiration | None = None
    abort_incomplete_multipart_upload: AbortIncompleteMultipartUpload | None = None

    @property
    def scope(self) -> Scope:
        if self.prefix is not None or self.filter is None:
            return Scope(self.prefix or "")
        found = self.filter.and_ or self.filter
        tags = found.tags or () if isinstance(found, And) else (found.tag,) if found.tag else ()
        return Scope(
            found.prefix or "",
            {tag.key: tag.value for tag in tags},
            found.object_size_greater_than,
            found.object_size_less_than,
        )


class Configuration(Element, frozen=True):
    rules: tuple[Rule, ...]
    transition_default_minimum_object_size: str = DEFAULT_MINIMUM


@dataclass(frozen=True)
class Scope:
    """Which objects a rule is about; `above` and `below` are sizes that they do not have themselves."""

    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    above: int | None = None
    below: int | None = None

    def holds(self, key: str, size: int, tags: Mapping[str, str] | None) -> bool:
        """A delete marker has no tags, and the size 0."""
        return (
            key.startswith(self.prefix)
            and (self.above is None or size > self.above)
            and (self.below is None or size < self.below)
            and self.tags.items() <= (tags or {}).items()
        )


@dataclass(frozen=True)
class Step:
    """One thing to do for a rule: `kind` to all in its scope that were made (or hidden) `before` a time, None: ever.

    A noncurrent version is removed where so many `newer` noncurrent ones of its key are there.
    """

    rule_id: str
    kind: str
    scope: Scope
    before: int | None
    newer: int = 0


@dataclass(frozen=True)
class Due:
    """`time` is in milliseconds."""

    time: int
    rule_id: str


def configuration(bucket: Bucket) -> Configuration | None:
    kept = (bucket.settings or {}).get(SETTING)
    return read(kept) if kept else None


@lru_cache(maxsize=256)
def read(kept: str) -> Configuration:
    return _decode(kept)


def enabled(found: Configuration) -> Iterator[Rule]:
    return (rule for rule in found.rules if rule.status == ENABLED)


def expiry(found: Configuration, key: str, size: int, tags: Mapping[str, str] | None, modified: int) -> Due | None:
    """When a current version expires: by the earliest of the rules, and the first of those that say the same."""
    due = (
        Due(date if (date := action.date) is not None else midnight(modified, action.days or 0), rule.id)
        for rule in enabled(found)
        if (action := rule.expiration) is not None
        and (action.days is not None or action.date is not None)
        and rule.scope.holds(key, size, tags)
    )
    return min(due, key=_time_of, default=None)


def abortion(found: Configuration, key: str, initiated: int) -> Due | None:
    """When an upload of the key is aborted, likewise."""
    due = (
        Due(midnight(initiated, action.days_after_initiation or 0), rule.id)
        for rule in enabled(found)
        if (action := rule.abort_incomplete_multipart_upload) is not None and key.startswith(rule.scope.prefix)
    )
    return min(due, key=_time_of, default=None)


def midnight(since: int, days: int, day: int = DAY) -> int:
    """So many days later, rounded up to the next midnight UTC.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html#intro-lifecycle-rules-number-of-days
    """
    return (since // day + days + 1) * day


def steps(rules: Iterable[Rule], now: int, day: int = DAY) -> Iterator[Step]:
    """What is to be done at a time. Noncurrent versions come first: what they leave behind may be a marker alone."""
    return (step for step in _steps(list(rules), now, day) if step.before is None or step.before > 0)


def _steps(chosen: list[Rule], now: int, day: int) -> Iterator[Step]:
    for rule in chosen:
        removal = rule.noncurrent_version_expiration
        if removal is not None and removal.noncurrent_days is not None:
            before = _made_before(now, removal.noncurrent_days, day)
            newer = removal.newer_noncurrent_versions or 0
            yield Step(rule.id, REMOVE_NONCURRENT, rule.scope, before, newer)
    for rule in chosen:
        action = rule.expiration
        if action is None:
            continue
        if action.days is not None:
            before = _made_before(now, action.days, day)
            yield Step(rule.id, EXPIRE, rule.scope, before)
            yield Step(rule.id, REMOVE_MARKER, rule.scope, before)
        elif action.date is not None and action.date <= now:
            yield Step(rule.id, EXPIRE, rule.scope, None)
            yield Step(rule.id, REMOVE_MARKER, rule.scope, None)
        elif action.expired_object_delete_marker:
            yield Step(rule.id, REMOVE_MARKER, rule.scope, None)
    for rule in chosen:
        abort = rule.abort_incomplete_multipart_upload
        if abort is not None and abort.days_after_initiation is not None:
            yield Step(rule.id, ABORT, rule.scope, _made_before(now, abort.days_after_initiation, day))


def _made_before(now: int, days: int, day: int) -> int:
    """Of which `midnight` says that its time has come."""
    return (now // day - days) * day


def _time_of(due: Due) -> int:
    return due.time


_decode = msgspec.json.Decoder(Configuration).decode
