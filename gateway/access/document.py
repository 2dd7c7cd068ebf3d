"""A bucket policy's JSON, taken apart and checked as S3 checks it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.access.actions import KNOWN, OF_BUCKETS, OF_OBJECTS
from gateway.access.keys import ONLY_FOR, getter_of
from gateway.access.operators import compile_condition
from gateway.access.patterns import Matcher, Matching, compile_pattern, matcher, tokens_of
from gateway.s3.errors import S3Error

MAX_BYTES = 20 * 1024
ARN = "arn:aws:s3:::"
EVERYBODY = "*"
KINDS = frozenset({"AWS", "CanonicalUser", "Service"})
VERSIONS = ("2012-10-17", "2008-10-17")
FIELDS = frozenset({"Version", "Id", "Statement"})
STATEMENT_FIELDS = frozenset(
    {
        *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"),
        "Condition",
    }
)

# The id of whom a policy's principal names: its kind (one of KINDS) and the name; None: nobody's.
Resolve = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Condition:
    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """`principals` are user ids, or everybody's star; `but_*`: all but those that are named."""

    allow: bool
    principals: frozenset[str]
    but_principals: bool
    actions: frozenset[str]
    resources: tuple[str, ...]
    but_resources: bool
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """`variables`: whether `${key}` stands for something, as in the later of the two versions."""

    statements: tuple[Statement, ...]
    variables: bool


def read_document(text: str, bucket: str, resolve: Resolve) -> Document:
    """Raises MalformedPolicy, in S3's own words where it is known to have some."""
    if len(text.encode()) > MAX_BYTES:
        raise malformed("Policy exceeds the maximum allowed document size.")
    if not text.startswith("{"):
        raise S3Error("MalformedPolicy")
    try:
        document = json.loads(text, object_pairs_hook=unique, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise malformed("This policy contains invalid Json") from None
    refuse_unknown(document, FIELDS)
    if not isinstance(document.get("Id", ""), str):
        raise malformed("This policy contains invalid Json")
    if "Statement" not in document:
        raise malformed("Missing required field Statement")
    version = document.get("Version", VERSIONS[1])
    if version not in VERSIONS:
        raise malformed("The policy must contain a valid version string")
    given = listed(document["Statement"])
    if not given or not all(isinstance(each, dict) for each in given):
        raise malformed("Could not parse the policy: Statement is empty!")
    variables = version == VERSIONS[0]
    check_ids(given)
    return Document(tuple(read_statement(each, bucket, resolve, variables) for each in given), variables)


def read_statement(given: dict[str, Any], bucket: str, resolve: Resolve, variables: bool) -> Statement:
    refuse_unknown(given, STATEMENT_FIELDS)
    if "Effect" not in given:
        raise malformed("Missing required field Effect")
    if given["Effect"] not in ("Allow", "Deny"):
        raise malformed(f"Invalid effect: {given['Effect']}")
    allow = given["Effect"] == "Allow"
    principal, but_principals = one_of(given, "Principal")
    if allow and but_principals:
        raise malformed("Allow with NotPrincipal is not allowed.")
    action, but_actions = one_of(given, "Action")
    resource, but_resources = one_of(given, "Resource")
    principals = read_principals(principal, resolve)
    actions = read_actions(action)
    resources = read_resources(resource, bucket, variables)
    if but_actions:
        actions = KNOWN - actions
    elif not but_resources:
        check_reach(action, resources)
    conditions = read_conditions(given.get("Condition", {}), actions, variables)
    return Statement(allow, principals, but_principals, actions, resources, but_resources, conditions)


def check_ids(statements: list[dict[str, Any]]) -> None:
    ids = [each["Sid"] for each in statements if "Sid" in each]
    if not all(isinstance(each, str) for each in ids):
        raise malformed("This policy contains invalid Json")
    named = [each for each in ids if each]
    if len(set(named)) != len(named):
        raise malformed("Statement IDs (SID) in a single policy must be unique.")


def read_principals(given: Any, resolve: Resolve) -> frozenset[str]:
    if given == EVERYBODY:
        return frozenset({EVERYBODY})
    if not isinstance(given, dict) or not given:
        raise malformed("Invalid principal in policy")
    found: set[str] = set()
    for kind, names in given.items():
        if kind not in KINDS or not listed(names):
            raise malformed("Invalid principal in policy")
        for name in listed(names):
            if not isinstance(name, str):
                raise malformed("Invalid principal in policy")
            user = EVERYBODY if kind == "AWS" and name == EVERYBODY else resolve(kind, name)
            if user is None:
                raise malformed("Invalid principal in policy")
            found.add(user)
    return frozenset(found)


def read_actions(given: Any) -> frozenset[str]:
    """Every action that is meant. Names of actions know no case."""
    found: set[str] = set()
    for text in strings(given, "Policy has invalid action"):
        meant = actions_like(text)
        if not meant:
            raise malformed("Policy has invalid action")
        found |= meant
    return frozenset(found)


def actions_like(text: str) -> frozenset[str]:
    if text == "*":
        return KNOWN
    if not text.lower().startswith("s3:"):
        return frozenset()
    matches = fixed_pattern(text.lower())
    return frozenset(action for action in KNOWN if matches(action.lower()))


def read_resources(given: Any, bucket: str, variables: bool) -> tuple[str, ...]:
    """The patterns without what all ARNs begin with. Each is of this bucket, or of keys in it."""
    found = strings(given, "Policy has invalid resource")
    for text in found:
        name = text.removeprefix(ARN).partition("/")[0]
        if text != "*" and (not text.startswith(ARN) or not fixed_pattern(name)(bucket)):
            raise malformed("Policy has invalid resource")
        compiled(text, variables)
    return tuple(text.removeprefix(ARN) for text in found)


def compiled(text: str, variables: bool) -> Matching:
    try:
        return compile_pattern(text, wild=True, variables=variables)
    except ValueError:
        raise malformed("Policy has invalid resource") from None


def check_reach(given: Any, resources: tuple[str, ...]) -> None:
    """Each action that is named must mean something on one of the resources."""
    keys = any("/" in text or text == "*" or text.endswith("*") for text in resources)
    whole = any("/" not in text for text in resources)
    for text in listed(given):
        meant = actions_like(text)
        if not (keys and meant & OF_OBJECTS) and not (whole and meant & OF_BUCKETS):
            raise malformed("Action does not apply to any resource(s) in statement")


def read_conditions(given: Any, actions: frozenset[str], variables: bool) -> tuple[Condition, ...]:
    if not isinstance(given, dict):
        raise malformed("This policy contains invalid Json")
    found: list[Condition] = []
    for operator, keys in given.items():
        if not isinstance(keys, dict) or not keys:
            raise malformed("Policy has an invalid condition key")
        for key, values in keys.items():
            found.append(read_condition(operator, key, values, actions, variables))
    return tuple(found)


def read_condition(operator: str, key: str, given: Any, actions: frozenset[str], variables: bool) -> Condition:
    get = getter_of(key)
    if get is None:
        raise malformed("Policy has an invalid condition key")
    only = ONLY_FOR.get(key.lower())
    if only is not None and not only & actions:
        raise malformed("Conditions do not apply to combination of actions and resources in statement")
    values = tuple(scalar(value) for value in listed(given))
    if not values:
        raise malformed(f"Policy has no value for condition key {key}")
    try:
        compile_condition(operator, get, values, variables, strict=True)
    except KeyError:
        raise malformed(f"Invalid Condition type : {operator}") from None
    except ValueError:
        raise malformed(f"Invalid value for condition {operator} : {key}") from None
    return Condition(operator, key, values)


def one_of(given: Mapping[str, Any], field: str) -> tuple[Any, bool]:
    """The value of an element or of its opposite, and whether it is that. Just one of them has to be there."""
    opposite = f"Not{field}"
    if field in given and opposite in given:
        raise malformed(f"Statement has both {field} and {opposite}")
    if field not in given and opposite not in given:
        raise malformed(f"Missing required field {field}")
    return (given[field], False) if field in given else (given[opposite], True)


def strings(given: Any, otherwise: str) -> list[str]:
    found = listed(given)
    if not found or not all(isinstance(each, str) and each for each in found):
        raise malformed(otherwise)
    return found


def scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise malformed("This policy contains invalid Json")
    return str(value)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def fixed_pattern(text: str) -> Matcher:
    return matcher(tokens_of(text, wild=True, variables=False))


def refuse_unknown(given: Mapping[str, Any], known: frozenset[str]) -> None:
    for field in given:
        if field not in known:
            raise malformed(f"Unknown field {field}")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def refuse_constant(name: str) -> None:
    raise ValueError(name)


def malformed(message: str) -> S3Error:
    return S3Error("MalformedPolicy", message)
