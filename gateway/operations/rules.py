"""What S3 asks of lifecycle rules.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html says most of it. The codes and messages
are those that S3 was seen to answer.
"""

from __future__ import annotations

import uuid
from base64 import b64encode
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from catalog.lifecycle import DAY, And, Expiration, Filter, Rule
from gateway.operations.tagging import check_tag
from gateway.s3.errors import S3Error, invalid_argument

MAX_RULES = 1000
MAX_ID = 255  # characters
MAX_PREFIX = 1024  # bytes, as of a key
MAX_DAYS = (1 << 31) - 1
MAX_SIZE = 1_099_511_627_776_000
# How many newer versions a rule may keep. AWS says 100, and takes more; they are counted under the lock.
MAX_NEWER = 1000
TRANSITIONS = ("transitions", "noncurrent_version_transitions")
ACTIONS = {
    "expiration": "Expiration",
    "noncurrent_version_expiration": "NoncurrentVersionExpiration",
    "abort_incomplete_multipart_upload": "AbortIncompleteMultipartUpload",
}


def read_rules(given: Sequence[dict[str, Any]]) -> tuple[Rule, ...]:
    """As they are to be kept: each with an id. Raises for what S3 does not take, or there is nothing for here."""
    if not 0 < len(given) <= MAX_RULES:
        raise S3Error("MalformedXML")
    rules = [msgspec.convert(each, Rule) for each in given]
    _check_ids(rules)
    _check_forms(rules)
    for rule, each in zip(rules, given, strict=True):
        _check_filter(rule)
        _check_actions(rule, each)
    _check_overlaps(rules)
    return tuple(rule if rule.id else msgspec.structs.replace(rule, id=new_id()) for rule in rules)


def _check_ids(rules: Iterable[Rule]) -> None:
    ids: set[str] = set()
    for rule in rules:
        if len(rule.id) > MAX_ID:
            raise invalid_argument("ID length should not exceed allowed limit of 255", "ID", rule.id)
        if rule.id and rule.id in ids:
            raise invalid_argument("Rule ID must be unique. Found same ID for more than one rule", "ID", rule.id)
        ids.add(rule.id)


def _check_forms(rules: Sequence[Rule]) -> None:
    """Rules have a filter each, or, as before there were filters, a prefix each."""
    for rule in rules:
        if (rule.prefix is None) == (rule.filter is None):
            raise S3Error("MalformedXML")
        if (rule.filter is None) != (rules[0].filter is None):
            message = (
                "Filter element can only be used in Lifecycle V2."
                if rules[0].filter is None
                else "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter."
            )
            raise _invalid(message)


def _check_filter(rule: Rule) -> None:
    found = rule.filter
    if found is not None:
        predicates = _given(found)
        if len(predicates) > 1 or (found.and_ is not None and len(_given(found.and_)) < 2 and not _several(found.and_)):
            raise S3Error("MalformedXML")
        tags = (found.and_.tags or ()) if found.and_ is not None else (found.tag,) if found.tag is not None else ()
        if len({tag.key for tag in tags}) < len(tags):
            raise _invalid("Duplicate Tag Keys are not allowed.")
        for tag in tags:
            check_tag(tag.key, tag.value)
    scope = rule.scope
    if len(scope.prefix.encode()) > MAX_PREFIX:
        raise _invalid("The maximum size of a prefix is 1024.")
    for name, size, least in (("ObjectSizeGreaterThan", scope.above, 0), ("ObjectSizeLessThan", scope.below, 1)):
        if size is not None and not least <= size <= MAX_SIZE:
            raise _invalid(f"'{name}' should be between {least} and {MAX_SIZE}.")
    if scope.above is not None and scope.below is not None and scope.above >= scope.below:
        raise _invalid("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")


def _check_actions(rule: Rule, given: dict[str, Any]) -> None:
    if not any(given.get(name) is not None for name in (*ACTIONS, *TRANSITIONS)):
        raise _invalid("At least one action needs to be specified in a rule")
    if rule.expiration is not None:
        _check_expiration(rule, rule.expiration)
    removal, abort = rule.noncurrent_version_expiration, rule.abort_incomplete_multipart_upload
    if removal is not None:
        if removal.noncurrent_days is None:
            raise S3Error("MalformedXML")
        _check_days("NoncurrentDays", "NoncurrentVersionExpiration", removal.noncurrent_days)
        newer = removal.newer_noncurrent_versions
        if newer is not None:
            if rule.filter is None:
                raise _invalid("NewerNoncurrentVersions element can only be used in Lifecycle V2.")
            _check_days("NewerNoncurrentVersions", "NoncurrentVersionExpiration", newer, MAX_NEWER)
    if abort is not None:
        if abort.days_after_initiation is None:
            raise S3Error("MalformedXML")
        _check_days("DaysAfterInitiation", "AbortIncompleteMultipartUpload", abort.days_after_initiation)
        _refuse_narrow(rule, "AbortIncompleteMultipartUpload")
    if any(given.get(name) for name in TRANSITIONS):
        _check_transitions(given)
        raise S3Error("NotImplemented", "Transitions to other storage classes are not implemented: there is one class.")


def _check_expiration(rule: Rule, action: Expiration) -> None:
    if len(_given(action)) != 1:
        raise S3Error("MalformedXML")
    if action.days is not None:
        _check_days("Days", "Expiration", action.days)
    if action.date is not None:
        _check_date(action.date)
    if action.expired_object_delete_marker is not None:
        _refuse_narrow(rule, "ExpiredObjectDeleteMarker")


def _check_transitions(given: dict[str, Any]) -> None:
    """As far as they would be refused by S3, too."""
    for each in given.get("transitions") or ():
        if (each.get("days") is None) == (each.get("date") is None) or each.get("storage_class") is None:
            raise S3Error("MalformedXML")
        if each.get("date") is not None:
            _check_date(each["date"])
        elif each["days"] < 0:
            raise invalid_argument("'Days' for Transition action must be nonnegative", "Days", str(each["days"]))
    for each in given.get("noncurrent_version_transitions") or ():
        if each.get("noncurrent_days") is None or each.get("storage_class") is None:
            raise S3Error("MalformedXML")


def _check_days(name: str, action: str, days: int, most: int = MAX_DAYS) -> None:
    if days <= 0:
        raise invalid_argument(f"'{name}' for {action} action must be a positive integer", name, str(days))
    if days > most:
        raise invalid_argument(f"'{name}' for {action} action must be {most} at most", name, str(days))


def _check_date(date: int) -> None:
    if date % DAY:
        raise invalid_argument("'Date' must be at midnight GMT", "Date", str(date))


def _refuse_narrow(rule: Rule, action: str) -> None:
    """An action on what has no tags, and no size to speak of."""
    if rule.scope.tags:
        raise _invalid(f"{action} cannot be specified with Tags.")
    if rule.scope.above is not None or rule.scope.below is not None:
        raise _invalid(f"{action} cannot be specified with Object Size.")


def _check_overlaps(rules: Iterable[Rule]) -> None:
    """Of rules in the form of before there were filters; filters may overlap, and the shortest time holds."""
    old = [rule for rule in rules if rule.prefix is not None]
    for name, action in ACTIONS.items():
        prefixes = sorted(rule.prefix or "" for rule in old if getattr(rule, name) is not None)
        for one, other in pairwise(prefixes):
            if other.startswith(one):
                raise _invalid(f"Found overlapping prefixes '{one}' and '{other}' for same action type '{action}'")


def _given(element: Filter | And | Expiration) -> list[str]:
    return [name for name in element.__struct_fields__ if getattr(element, name) is not None]


def _several(found: And) -> bool:
    return len(found.tags or ()) > 1


def new_id() -> str:
    """In the form of S3's."""
    return b64encode(str(uuid.uuid4()).encode()).decode()


def _invalid(message: str) -> S3Error:
    return S3Error("InvalidRequest", message)
