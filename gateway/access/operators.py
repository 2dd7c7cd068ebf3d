"""The operators of conditions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import Any

from gateway.access.asked import Asked
from gateway.access.keys import Getter
from gateway.access.patterns import Matching, Unresolved, compile_pattern, resolved, tokens_of

Test = Callable[[Asked], bool]
Compile = Callable[[str, bool], Matching]

NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
ANY_VALUE, ALL_VALUES = "ForAnyValue:", "ForAllValues:"


def compile_condition(operator: str, get: Getter, values: Sequence[str], variables: bool, strict: bool) -> Test:
    """Raises KeyError for an operator that there is not, ValueError for a value that is none of its kind.

    A value with a variable that the request says nothing of is equal to none; `strict`: it raises Unresolved.
    """
    if operator == "Null":
        return _null(get, values)
    name, quantifier = operator, ""
    for each in (ANY_VALUE, ALL_VALUES):
        if operator.startswith(each):
            name, quantifier = operator.removeprefix(each), each
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in NEGATED
    compile_value = OPERATORS[NEGATED.get(name, name)]
    candidates = [compile_value(value, variables) for value in values]

    def fits(value: str, asked: Asked) -> bool:
        for candidate in candidates:
            try:
                if candidate(value, asked):
                    return not negated
            except Unresolved:
                if strict:
                    raise
        return negated

    return _quantified(get, fits, quantifier, negated, if_exists)


def _quantified(
    get: Getter, fits: Callable[[str, Asked], bool], quantifier: str, negated: bool, if_exists: bool
) -> Test:
    """What holds where the key has no value: what is negated, asked `if exists`, or said of all of none."""
    without = if_exists or quantifier == ALL_VALUES or (negated and not quantifier)
    holds: Callable[[Any], bool] = all if quantifier == ALL_VALUES or (negated and not quantifier) else any

    def test(asked: Asked) -> bool:
        found = get(asked)
        return without if found is None else holds(fits(value, asked) for value in found)

    return test


def _null(get: Getter, values: Sequence[str]) -> Test:
    wanted = [_truth(value) for value in values]

    def test(asked: Asked) -> bool:
        return (get(asked) is None) in wanted

    return test


def _equals(text: str, variables: bool) -> Matching:
    return compile_pattern(text, wild=False, variables=variables)


def _equals_in_any_case(text: str, variables: bool) -> Matching:
    tokens = tokens_of(text, wild=False, variables=variables)

    def matches(value: str, asked: Asked) -> bool:
        return "".join(str(resolved(token, asked)) for token in tokens).casefold() == value.casefold()

    return matches


def _like(text: str, variables: bool) -> Matching:
    return compile_pattern(text, wild=True, variables=variables)


def _arn(text: str, variables: bool) -> Matching:
    """Each of an ARN's six parts for itself: a star does not go beyond a colon, but for the last part."""
    parts = [compile_pattern(part, wild=True, variables=variables) for part in text.split(":", 5)]
    if len(parts) != 6:
        raise ValueError(text)

    def matches(value: str, asked: Asked) -> bool:
        found = value.split(":", 5)
        return len(found) == 6 and all(match(part, asked) for match, part in zip(parts, found, strict=True))

    return matches


def _compared(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Compile:
    """Of what `read` makes of both texts; a request's that is none is not equal, nor less or more."""

    def compile_value(text: str, variables: bool) -> Matching:
        limit = read(text)

        def matches(value: str, asked: Asked) -> bool:
            try:
                return compare(read(value), limit)
            except ValueError:
                return False

        return matches

    return compile_value


def _bool(text: str, variables: bool) -> Matching:
    wanted = "true" if _truth(text) else "false"
    return lambda value, asked: value.lower() == wanted


def _ip_address(text: str, variables: bool) -> Matching:
    network = ipaddress.ip_network(text, strict=False)

    def matches(value: str, asked: Asked) -> bool:
        address = _address(value)
        return address is not None and address in network

    return matches


@lru_cache(maxsize=1024)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _number(text: str) -> Decimal:
    if not NUMBER.fullmatch(text):
        raise ValueError(text)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None


def _moment(text: str) -> float:
    """Seconds since the epoch, of a number of them or of a time in ISO 8601."""
    if NUMBER.fullmatch(text):
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


OPERATORS: dict[str, Compile] = {
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "BinaryEquals": _equals,
    "Bool": _bool,
    "DateEquals": _compared(_moment, eq),
    "DateGreaterThan": _compared(_moment, gt),
    "DateGreaterThanEquals": _compared(_moment, ge),
    "DateLessThan": _compared(_moment, lt),
    "DateLessThanEquals": _compared(_moment, le),
    "IpAddress": _ip_address,
    "NumericEquals": _compared(_number, eq),
    "NumericGreaterThan": _compared(_number, gt),
    "NumericGreaterThanEquals": _compared(_number, ge),
    "NumericLessThan": _compared(_number, lt),
    "NumericLessThanEquals": _compared(_number, le),
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_in_any_case,
    "StringLike": _like,
}
# What is true of a value if, for no value of the policy, that other operator is.
NEGATED = {
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
}
