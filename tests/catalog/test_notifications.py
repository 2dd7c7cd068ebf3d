from __future__ import annotations

import msgspec
import pytest

from catalog.notifications import (
    EVENTS,
    SETTING,
    WILDCARDS,
    Configuration,
    FilterRule,
    Rule,
    configuration,
    expanded,
    overlapping,
    target_of,
)
from catalog.records import Bucket

ARN = "arn:minio:sqs::hook:webhook"


def rule(prefix: str = "", suffix: str = "", events: tuple[str, ...] = ("s3:ObjectCreated:*",)) -> Rule:
    filters = (FilterRule("Suffix", suffix), FilterRule("Prefix", prefix)) if prefix or suffix else None
    return Rule("rule", "queue_configurations", ARN, events, filters)


@pytest.mark.parametrize(
    ("arn", "service", "target"),
    [
        (ARN, None, "hook"),
        ("arn:minio:sqs:eu-central-1:My_Hook-2:webhook", "sqs", "My_Hook-2"),
        ("arn:minio:lambda::f:webhook", "lambda", "f"),
        ("arn:minio:sns::t:webhook", "sqs", None),
        ("arn:minio:sqs::hook:kafka", None, None),
        ("arn:aws:sqs:us-east-1:000000000000:hook", None, None),
        ("arn:minio:sqs:::webhook", None, None),
        (f"{ARN}\n", None, None),
        ("", None, None),
    ],
)
def test_an_arn_names_a_target(arn: str, service: str | None, target: str | None) -> None:
    assert target_of(arn, service) == target


def test_a_wildcard_stands_for_its_events() -> None:
    assert expanded(("s3:ObjectRemoved:*", "s3:ObjectAcl:Put")) == {
        "s3:ObjectRemoved:Delete",
        "s3:ObjectRemoved:DeleteMarkerCreated",
        "s3:ObjectAcl:Put",
    }
    assert all(events <= EVENTS for events in map(set, WILDCARDS.values()))


@pytest.mark.parametrize(
    ("given", "event", "key", "meant"),
    [
        (rule(), "s3:ObjectCreated:Put", "", True),
        (rule(), "s3:ObjectRemoved:Delete", "key", False),
        (rule("a", "z"), "s3:ObjectCreated:Copy", "az", True),
        (rule("a", "z"), "s3:ObjectCreated:Copy", "za", False),
        (rule("ab", "bc"), "s3:ObjectCreated:Copy", "abc", True),
        (rule(events=("s3:ObjectCreated:Post",)), "s3:ObjectCreated:Put", "key", False),
    ],
)
def test_what_a_rule_means(given: Rule, event: str, key: str, meant: bool) -> None:
    assert given.means(event, key) is meant


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (rule(), rule(), True),
        (rule("a"), rule("ab"), True),
        (rule("a"), rule("b"), False),
        (rule("a", "x"), rule("ab", "y"), False),
        (rule("a", "x"), rule("ab", "yx"), True),
        (rule("a"), rule("", "x"), True),
        (rule(), rule(events=("s3:ObjectRemoved:Delete",)), False),
        (rule(), rule(events=("s3:ObjectCreated:Put", "s3:ObjectRemoved:Delete")), True),
    ],
)
def test_rules_that_one_event_could_be_meant_by(one: Rule, other: Rule, meet: bool) -> None:
    assert list(overlapping([one, other])) == ([(one, other)] if meet else [])


def test_what_is_kept_is_read_again() -> None:
    kept = Configuration((rule("a"),), test=False)
    settings = {SETTING: msgspec.json.encode(kept).decode()}
    assert configuration(Bucket(1, "b", "o", 0, "r", settings=settings)) == kept
    assert configuration(Bucket(1, "b", "o", 0, "r")) is None
