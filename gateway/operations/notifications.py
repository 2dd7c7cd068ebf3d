"""A bucket's event notifications, as S3 takes them; `gateway.notifications` delivers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from catalog.notifications import (
    EVENTS,
    PUT,
    SETTING,
    WILDCARDS,
    Configuration,
    FilterRule,
    Rule,
    configuration,
    overlapping,
    target_of,
)
from catalog.records import Bucket
from gateway.operations import Context
from gateway.operations.configurations import changed
from gateway.operations.rules import new_id
from gateway.s3.errors import S3Error, invalid_argument
from gateway.s3.model import operation
from gateway.settings import Settings

MOST = 100
MAX_ID = 255  # characters
MAX_VALUE = 1024  # bytes, as of a key

# List of the document: member and element with the ARN, its service, and what S3 calls what is there.
KINDS: dict[str, tuple[str, str, str, str]] = {
    "queue_configurations": ("queue_arn", "Queue", "sqs", "queue"),
    "topic_configurations": ("topic_arn", "Topic", "sns", "topic"),
    "lambda_function_configurations": ("lambda_function_arn", "CloudFunction", "lambda", "Lambda"),
}
# Events of S3's that nothing here ever makes.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
NOT_BUILT = (
    *("s3:ReducedRedundancyLostObject", "s3:ObjectRestore:", "s3:Replication:", "s3:LifecycleTransition"),
    *("s3:IntelligentTiering", "s3:ObjectAnnotation:"),
)


@operation
async def get_bucket_notification_configuration(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html"""
    found = configuration(cx.here)
    given: dict[str, Any] = {}
    for rule in found.rules if found is not None else ():
        member = KINDS[rule.kind][0]
        filters = [msgspec.structs.asdict(each) for each in rule.filters or ()]
        given.setdefault(rule.kind, []).append(
            {
                "id": rule.id,
                member: rule.arn,
                "events": list(rule.events),
                "filter": {"key": {"filter_rules": filters}} if rule.filters is not None else None,
            }
        )
    return given


@operation
async def put_bucket_notification_configuration(
    cx: Context,
    bucket: str,
    notification_configuration: dict[str, Any],
    skip_destination_validation: bool | None = None,
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html"""
    rules = read_rules(notification_configuration)
    skip = skip_destination_validation is True
    if not skip:
        check_targets(rules, cx.settings)
    since = cx.catalog.end().seq

    def change(found: Bucket) -> Bucket:
        kept = Configuration(tuple(dated(rules, configuration(found), since)), test=not skip)
        return changed(found, {SETTING: msgspec.json.encode(kept).decode() if rules else None})

    await cx.catalog.update_bucket(cx.origin_of(PUT), cx.here.name, change)


def read_rules(given: Mapping[str, Any]) -> list[Rule]:
    """As they are to be kept, each with an id. Raises for what S3 does not take, or there is nothing for here."""
    if given.get("event_bridge_configuration") is not None:
        raise S3Error("NotImplemented", "EventBridgeConfiguration is not implemented: there is no EventBridge.")
    rules = [read_rule(kind, each) for kind in KINDS for each in given.get(kind) or ()]
    if len(rules) > MOST:
        raise S3Error("InvalidArgument", f"The number of notification configurations cannot exceed {MOST}.")
    ids = [rule.id for rule in rules]
    for rule in rules:
        if ids.count(rule.id) > 1:
            message = "Same ID used for multiple configurations. IDs must be unique"
            raise invalid_argument(message, "Id", rule.id)
    for one, other in overlapping(rules):
        refuse_overlap(one, other)
    return rules


def read_rule(kind: str, given: Mapping[str, Any]) -> Rule:
    member, element, service, _ = KINDS[kind]
    events = tuple(given.get("events") or ())
    if not events or member not in given:
        raise S3Error("MalformedXML")
    arn = given[member]
    if target_of(arn, service) is None:
        raise invalid_argument("The ARN could not be parsed", element, arn)
    name = given.get("id") or new_id()
    if len(name) > MAX_ID:
        raise invalid_argument(f"ID length should not exceed allowed limit of {MAX_ID}", "Id", name)
    for event in events:
        check_event(event)
    return Rule(name, kind, arn, events, read_filters(given.get("filter")))


def check_event(event: str) -> None:
    if event in EVENTS or event in WILDCARDS:
        return
    if event.startswith(NOT_BUILT):
        raise S3Error("NotImplemented", f"The event {event} is not implemented: nothing here makes it.")
    raise invalid_argument("The event is not supported for notifications", "Event", event)


def read_filters(given: Mapping[str, Any] | None) -> tuple[FilterRule, ...] | None:
    """Names are Prefix and Suffix, however they were written: S3 gives them back so."""
    if given is None:
        return None
    found: dict[str, FilterRule] = {}
    for each in (given.get("key") or {}).get("filter_rules") or ():
        name, value = each.get("name", ""), each.get("value", "")
        title = name.title()
        if title not in ("Prefix", "Suffix"):
            raise invalid_argument("filter rule name must be either prefix or suffix", "FilterRule.Name", name)
        if title in found:
            message = f"Cannot specify more than one {title.lower()} rule in a filter."
            raise invalid_argument(message, "FilterRule.Name", name)
        if len(value.encode()) > MAX_VALUE:
            message = f"Size of filter rule value cannot exceed {MAX_VALUE} bytes in UTF-8 representation"
            raise invalid_argument(message, "FilterRule.Value", value)
        found[title] = FilterRule(title, value)
    return tuple(found.values())


def refuse_overlap(one: Rule, other: Rule) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html"""
    if one.filters or other.filters:
        message = (
            "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are"
            " overlapping for the same event type."
        )
        raise S3Error("InvalidArgument", message)
    message = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
    raise invalid_argument(message, "Event", ", ".join((*one.events, *other.events)))


def check_targets(rules: Iterable[Rule], settings: Settings) -> None:
    """All that are not there are named at once, numbered as S3 does."""
    there = {name for name, _ in settings.notify_webhook}
    missing = {rule.arn: KINDS[rule.kind][3] for rule in rules if rule.target not in there}
    fields: dict[str, str] = {}
    for number, (arn, kind) in enumerate(missing.items(), 1):
        fields |= {f"ArgumentName{number}": arn, f"ArgumentValue{number}": f"The destination {kind} does not exist"}
    if fields:
        message = "Unable to validate the following destination configurations"
        raise S3Error("InvalidArgument", message, fields=fields)


def dated(rules: Iterable[Rule], before: Configuration | None, since: int) -> Iterator[Rule]:
    """A rule that was there before goes on from where it did, and nothing is lost that was not delivered yet."""
    known = {
        msgspec.structs.replace(rule, since=0): rule.since for rule in (before.rules if before is not None else ())
    }
    for rule in rules:
        yield msgspec.structs.replace(rule, since=known.get(rule, since))
