"""The policy of a browser's form: until when it may be sent, and what its fields and its file may be.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
S3's messages are those that it was recorded to send.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.s3.errors import S3Error

RANGE = "content-length-range"
_MEMBERS = ("expiration", "conditions")
_EXPIRATION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII).fullmatch
_IGNORED = "x-ignore-"
# Nobody can say in a policy what is only known once it is signed.
_UNCOVERED = frozenset({"awsaccesskeyid", "signature", "x-amz-signature", "file", "policy"})
_NUMBER = re.compile(r"\d{1,18}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Condition:
    """`operation` in lower case; `operands` as the policy has them."""

    operation: str
    operands: tuple[str | int, ...]
    text: str

    @property
    def field(self) -> str:
        """Its name in lower case; "" where the policy does not name one as it should."""
        name = str(self.operands[0])
        return name[1:].lower() if name.startswith("$") else ""


@dataclass(frozen=True, slots=True)
class Policy:
    """`expiration` is seconds since the epoch."""

    expiration: float
    conditions: tuple[Condition, ...]

    @classmethod
    def read(cls, encoded: str) -> Policy:
        """Raises InvalidPolicyDocument."""
        document = _decode(encoded)
        for name in document:
            if name not in _MEMBERS:
                raise _invalid(f"Unexpected: '{name.lower()}'")
        for name in _MEMBERS:
            if name not in document:
                raise _invalid(f"Policy missing {name}.")
        if not isinstance(document["conditions"], list):
            raise _invalid("Invalid 'conditions' value: must be a List.")
        conditions = tuple(_condition(given) for given in document["conditions"])
        return cls(_seconds(document["expiration"]), conditions)

    def check(self, fields: Mapping[str, str], sent: Mapping[str, str], bucket: str, now: float) -> tuple[int, int]:
        """The least and the most bytes that the file may have. Raises AccessDenied where a condition does not hold.

        `fields` by name in lower case, `sent` the names as they came, `now` seconds since the epoch.
        """
        if now >= self.expiration:
            raise _refused("Policy expired.")
        values = {**fields, "bucket": bucket}
        least, most = 0, 2**63
        for condition in self.conditions:
            if condition.operation == RANGE:
                low, high = _bounds(condition)
                least, most = max(least, low), min(most, high)
            elif not _holds(condition, values.get(condition.field)):
                raise _failed(condition)
        covered = _UNCOVERED.union(condition.field for condition in self.conditions if condition.operation != RANGE)
        for name in fields:
            if name not in covered and not name.startswith(_IGNORED):
                raise _refused(f"Extra input fields: {sent[name]}")
        return least, most


def _decode(encoded: str) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(b64decode(encoded, validate=True))
    except (binascii.Error, ValueError) as problem:
        not_json = isinstance(problem, msgspec.DecodeError | UnicodeDecodeError)
        raise _invalid("Invalid JSON." if not_json else "invalid Base64 encoding.") from None
    except RecursionError:
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    return document


def _seconds(expiration: object) -> float:
    if isinstance(expiration, str) and _EXPIRATION(expiration):
        try:
            whole = datetime.strptime(expiration[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
        except ValueError:
            pass
        else:
            return whole + float(expiration[19:-1] or 0)
    raise _invalid(f"Invalid 'expiration' value: '{expiration}'")


def _condition(given: object) -> Condition:
    if isinstance(given, dict):
        return _simple_condition(given)
    if not isinstance(given, list):
        raise _invalid("Invalid condition test: must be a List or Object.")
    if not given or not isinstance(given[0], str):
        raise _invalid("Invalid Condition: missing operation identifier.")
    operation, operands = given[0].lower(), tuple(given[1:])
    if operation not in ("eq", "starts-with", RANGE):
        raise _invalid(f"Invalid Condition: unknown operation '{given[0]}'.")
    if len(operands) != 2:
        raise _invalid(f"Invalid {given[0]}: wrong number of arguments.")
    whole = (str, int) if operation == RANGE else (str,)
    if not all(type(operand) in whole for operand in operands):
        raise _invalid("Invalid JSON.")
    if any(isinstance(operand, int) and operand < 0 for operand in operands):
        raise _invalid("Token - must be enclosed in quotes.")
    return Condition(operation, operands, _shown(given))


def _simple_condition(given: dict[str, Any]) -> Condition:
    if len(given) != 1:
        raise _invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
    ((name, value),) = given.items()
    if value is None:
        raise _invalid("Invalid JSON.")
    if not isinstance(value, str):
        raise _invalid("Invalid Simple-Condition: value must be a string.")
    return Condition("eq", (f"${name}", value), _shown(["eq", f"${name}", value]))


def _bounds(condition: Condition) -> Iterator[int]:
    for operand in condition.operands:
        if not _NUMBER(str(operand)):
            raise _failed(condition)
        yield int(operand)


def _holds(condition: Condition, value: str | None) -> bool:
    """What is not in the form fulfils no condition. A content type may be a list: each of it must fulfil it."""
    wanted = str(condition.operands[1])
    if value is None:
        return False
    if condition.operation == "eq":
        return value == wanted
    if condition.field == "content-type":
        return all(each.strip().startswith(wanted) for each in value.split(","))
    return value.startswith(wanted)


def _shown(condition: list[Any]) -> str:
    return json.dumps(condition, ensure_ascii=False)


def _failed(condition: Condition) -> S3Error:
    return _refused(f"Policy Condition failed: {condition.text}")


def _refused(why: str) -> S3Error:
    return S3Error("AccessDenied", f"Invalid according to Policy: {why}")


def _invalid(why: str) -> S3Error:
    return S3Error("InvalidPolicyDocument", f"Invalid Policy: {why}")
