from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from gateway.auth.policy import Policy
from gateway.s3.errors import S3Error

NOON = 1_451_476_800.0  # 2015-12-30T12:00:00Z
UNTIL = "2015-12-30T12:00:00.000Z"


def encoded(document: Any) -> str:
    return b64encode(document.encode() if isinstance(document, str) else json.dumps(document).encode()).decode()


def check(*conditions: Any, now: float = NOON - 1, **fields: str) -> tuple[int, int]:
    names = {name.replace("_", "-").lower(): value for name, value in fields.items()}
    sent = {name.replace("_", "-").lower(): name.replace("_", "-") for name in fields}
    policy = Policy.read(encoded({"expiration": UNTIL, "conditions": list(conditions)}))
    return policy.check(names, sent, "b", now)


def refusal(*conditions: Any, **given: Any) -> str:
    with pytest.raises(S3Error) as refused:
        check(*conditions, **given)
    assert refused.value.code == "AccessDenied"
    start = "Invalid according to Policy: "
    assert refused.value.message.startswith(start)
    return refused.value.message.removeprefix(start)


def test_conditions_that_hold() -> None:
    check({"bucket": "b"}, ["starts-with", "$key", "a/"], ["eq", "$ACL", "private"], key="a/b", acl="private")
    check(["StArTs-WiTh", "$Key", ""], key="")
    check(["starts-with", "$Content-Type", "image/"], content_type="image/a,image/b")
    check(["starts-with", "$x-amz-meta-a", "b,"], x_amz_meta_A="b,c")


@pytest.mark.parametrize(
    ("condition", "fields", "shown"),
    [
        ({"bucket": "B"}, {}, '["eq", "$bucket", "B"]'),
        (["eq", "$key", "k"], {"key": "K"}, '["eq", "$key", "k"]'),
        (["eq", "key", "k"], {"key": "k"}, '["eq", "key", "k"]'),
        (["starts-with", "$key", "a/"], {"key": "b/a/"}, '["starts-with", "$key", "a/"]'),
        (["starts-with", "$acl", ""], {}, '["starts-with", "$acl", ""]'),
        (["starts-with", "$Content-Type", "image/"], {"content_type": "image/a,text/b"}, None),
        ({"key": 'say "ä"'}, {"key": "x"}, '["eq", "$key", "say \\"ä\\""]'),
        (["content-length-range", "test", "10"], {}, '["content-length-range", "test", "10"]'),
    ],
)
def test_conditions_that_do_not(condition: Any, fields: dict[str, str], shown: str | None) -> None:
    shown = shown or json.dumps(condition)
    assert refusal(condition, **fields) == f"Policy Condition failed: {shown}"


def test_every_field_must_be_covered() -> None:
    assert refusal(["starts-with", "$key", ""], key="k", StorageClass="x") == "Extra input fields: StorageClass"
    check(AWSAccessKeyId="a", Signature="s", X_Amz_Signature="s", Policy="p", x_ignore_me="z")
    assert refusal(key="k") == "Extra input fields: key"
    assert refusal(["content-length-range", 0, 1], content_length_range="x").startswith("Extra")


def test_until_it_expires() -> None:
    check(now=NOON - 0.001)
    assert refusal(now=NOON) == "Policy expired."


@pytest.mark.parametrize(
    ("ranges", "bounds"),
    [
        ([], (0, 2**63)),
        ([(5, 10)], (5, 10)),
        ([("5", "10")], (5, 10)),
        ([(1, 10), (5, 20)], (5, 10)),
        ([(9, 1)], (9, 1)),
    ],
)
def test_the_size_of_the_file(ranges: list[tuple[Any, Any]], bounds: tuple[int, int]) -> None:
    assert check(*(["content-length-range", *each] for each in ranges)) == bounds


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "Invalid JSON."),
        ("[]", "Invalid JSON."),
        ("[" * 15_000, "Invalid JSON."),
        ('{"expiration": "\ud800"}'.encode("utf-8", "surrogatepass"), "Invalid JSON."),
        ({"conditions": []}, "Policy missing expiration."),
        ({"expiration": UNTIL}, "Policy missing conditions."),
        ({"expiration": UNTIL, "CONDITIONS": []}, "Unexpected: 'conditions'"),
        ({"Statement": [], "expiration": UNTIL}, "Unexpected: 'statement'"),
        ({"expiration": UNTIL, "conditions": {}}, "Invalid 'conditions' value: must be a List."),
        ({"expiration": "2015-12-30 12:00:00+00:00", "conditions": []}, None),
        ({"expiration": "2015-12-30T12:00:00+02:00", "conditions": []}, None),
        ({"expiration": "2015-13-30T12:00:00Z", "conditions": []}, None),
        ({"expiration": 5, "conditions": []}, "Invalid 'expiration' value: '5'"),
    ],
)
def test_documents_that_are_no_policy(document: Any, message: str | None) -> None:
    text = b64encode(document).decode() if isinstance(document, bytes) else encoded(document)
    with pytest.raises(S3Error) as refused:
        Policy.read(text)
    assert refused.value.code == "InvalidPolicyDocument"
    message = message or f"Invalid 'expiration' value: '{document['expiration']}'"
    assert refused.value.message == f"Invalid Policy: {message}"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({}, "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."),
        ({"a": "b", "c": "d"}, "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."),
        ({"a": 1}, "Invalid Simple-Condition: value must be a string."),
        ({"a": None}, "Invalid JSON."),
        ([], "Invalid Condition: missing operation identifier."),
        (["like", "$key", "a"], "Invalid Condition: unknown operation 'like'."),
        (["eq", "$key"], "Invalid eq: wrong number of arguments."),
        (["content-length-range", 0], "Invalid content-length-range: wrong number of arguments."),
        (["content-length-range", 0, 1.5], "Invalid JSON."),
        (["content-length-range", 0, True], "Invalid JSON."),
        (["content-length-range", -1, 0], "Token - must be enclosed in quotes."),
        (["eq", "$key", 1], "Invalid JSON."),
        ("key", "Invalid condition test: must be a List or Object."),
    ],
)
def test_conditions_that_are_none(condition: Any, message: str) -> None:
    with pytest.raises(S3Error) as refused:
        Policy.read(encoded({"expiration": UNTIL, "conditions": [condition]}))
    assert (refused.value.code, refused.value.message) == ("InvalidPolicyDocument", f"Invalid Policy: {message}")


def test_what_is_not_base64() -> None:
    for text in ("{}", "e30", "e30=="):
        with pytest.raises(S3Error) as refused:
            Policy.read(text)
        assert refused.value.message == "Invalid Policy: invalid Base64 encoding."
