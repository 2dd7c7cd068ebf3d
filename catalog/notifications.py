"""A bucket's event notifications: which events go where, of which keys.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from catalog.records import Bucket

SETTING = "notification"  # the name of a bucket's configuration, which is kept as JSON
PUT = "PutBucketNotificationConfiguration"

# What a configuration may name and the catalog can tell: a wildcard, and the events it stands for.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
WILDCARDS: dict[str, tuple[str, ...]] = {
    "s3:ObjectCreated:*": (
        "s3:ObjectCreated:Put",
        "s3:ObjectCreated:Post",
        "s3:ObjectCreated:Copy",
        "s3:ObjectCreated:CompleteMultipartUpload",
    ),
    "s3:ObjectRemoved:*": ("s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated"),
    "s3:ObjectTagging:*": ("s3:ObjectTagging:Put", "s3:ObjectTagging:Delete"),
    "s3:LifecycleExpiration:*": ("s3:LifecycleExpiration:Delete", "s3:LifecycleExpiration:DeleteMarkerCreated"),
}
EVENTS = frozenset(
    {"s3:ObjectAcl:Put", "s3:ObjectRetention:Put", *(event for events in WILDCARDS.values() for event in events)}
)

# In MinIO's form, so that what was configured there holds here: the region may be left out.
_ARN = re.compile(r"arn:minio:(sqs|sns|lambda):[a-z0-9-]*:([A-Za-z0-9_-]+):webhook")


class Element(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class FilterRule(Element, frozen=True):
    """`name` is Prefix or Suffix."""

    name: str
    value: str


class Rule(Element, frozen=True):
    """Events that go to the target which `arn` names; `kind` is the list it stands in.

    Only events behind the sequence number `since` are meant. `filters` are None where there was no filter.
    """

    id: str
    kind: str
    arn: str
    events: tuple[str, ...]
    filters: tuple[FilterRule, ...] | None = None
    since: int = 0

    @property
    def prefix(self) -> str:
        return self._value("Prefix")

    @property
    def suffix(self) -> str:
        return self._value("Suffix")

    @property
    def target(self) -> str:
        return target_of(self.arn) or ""

    def means(self, event: str, key: str) -> bool:
        return event in expanded(self.events) and key.startswith(self.prefix) and key.endswith(self.suffix)

    def _value(self, name: str) -> str:
        return next((rule.value for rule in self.filters or () if rule.name == name), "")


class Configuration(Element, frozen=True):
    """With `test` each target is told of it by a test event."""

    rules: tuple[Rule, ...]
    test: bool = True


def configuration(bucket: Bucket) -> Configuration | None:
    kept = (bucket.settings or {}).get(SETTING)
    return read(kept) if kept else None


@lru_cache(maxsize=256)
def read(kept: str) -> Configuration:
    return _decode(kept)


def target_of(arn: str, service: str | None = None) -> str | None:
    """The name of the target that the operator defined; None for what is no such ARN (of that service)."""
    found = _ARN.fullmatch(arn)
    return found[2] if found is not None and service in (None, found[1]) else None


@lru_cache(maxsize=1024)
def expanded(events: Iterable[str]) -> frozenset[str]:
    return frozenset(event for name in events for event in WILDCARDS.get(name, (name,)))


def overlapping(rules: Iterable[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """Pairs of which one event could be meant by both.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
    """
    seen: list[Rule] = []
    for rule in rules:
        for other in seen:
            if expanded(rule.events) & expanded(other.events) and _meet(rule, other):
                yield other, rule
        seen.append(rule)


def _meet(one: Rule, other: Rule) -> bool:
    """Whether a key can begin with both prefixes and end with both suffixes."""
    prefixes = one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)
    suffixes = one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)
    return prefixes and suffixes


_decode = msgspec.json.Decoder(Configuration).decode
