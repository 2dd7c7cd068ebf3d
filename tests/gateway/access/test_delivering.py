from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.records import Bucket
from gateway.access.acl import LOG_DELIVERY, LOGGING_ID, OWNERSHIP, Grant, kept_grants, private
from gateway.access.acl import SETTING as ACL
from gateway.access.asked import Sender
from gateway.access.delivering import may_deliver
from gateway.access.policy import PRINCIPALS, SETTING
from tests.gateway.access.asking import ALICE, Held, bucket_of, filled

SENDER = Sender("source", ALICE.id)
SERVICE = {"Service": LOGGING_ID}
PUT: dict[str, Any] = {"Principal": SERVICE, "Action": "s3:PutObject"}


def ruled(*statements: dict[str, Any], **settings: str) -> Bucket:
    policy = json.dumps({"Version": "2012-10-17", "Statement": [filled(each) for each in statements]})
    return bucket_of(settings | {SETTING: policy, PRINCIPALS: json.dumps({f"Service:{LOGGING_ID}": LOGGING_ID})})


def deliverable(target: Bucket) -> bool:
    return may_deliver(target, "logs/2026-11-22-00-00-00-AB", "logs/", SENDER, Held())


def when(operator: str, key: str, value: str) -> dict[str, Any]:
    return PUT | {"Condition": {operator: {key: value}}}


@pytest.mark.parametrize(
    "allowing",
    [
        PUT,
        PUT | {"Resource": "arn:aws:s3:::b/logs/*"},
        PUT | {"Resource": "arn:aws:s3:::b/logs/2026*"},
        PUT | {"Resource": "arn:aws:s3:::b/logs/"},
        when("ArnLike", "aws:SourceArn", "arn:aws:s3:::source"),
        when("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"),
        when("StringEquals", "aws:SourceAccount", "000000000000"),
        when("StringEquals", "aws:SourceAccount", ALICE.id),
        when("Bool", "aws:SecureTransport", "true"),
        when("Bool", "aws:PrincipalIsAWSService", "true"),
        when("StringEquals", "aws:PrincipalServiceName", LOGGING_ID),
    ],
)
def test_let_in(allowing: dict[str, Any]) -> None:
    assert deliverable(ruled(allowing))


@pytest.mark.parametrize(
    "statements",
    [
        [PUT | {"Action": "s3:GetObject"}],
        [PUT | {"Resource": "arn:aws:s3:::b/other/*"}],
        [when("ArnLike", "aws:SourceArn", "arn:aws:s3:::another")],
        [when("StringEquals", "aws:SourceAccount", "111111111111")],
        [PUT, PUT | {"Effect": "Deny"}],
        [PUT, PUT | {"Effect": "Deny", "Principal": "*", "Resource": "arn:aws:s3:::b/logs/2026*"}],
    ],
)
def test_kept_out(statements: list[dict[str, Any]]) -> None:
    assert not deliverable(ruled(*statements))


def test_without_a_policy_the_owners_bucket_is_closed_too() -> None:
    assert not deliverable(bucket_of())


@pytest.mark.parametrize(("permission", "expected"), [("WRITE", True), ("FULL_CONTROL", True), ("READ", False)])
def test_by_the_groups_grant_where_acls_are_on(permission: str, expected: bool) -> None:
    grants = kept_grants((*private(ALICE.id), Grant(permission, uri=LOG_DELIVERY)), ALICE.id)
    assert grants is not None
    assert deliverable(bucket_of({OWNERSHIP: "ObjectWriter", ACL: grants})) is expected
    assert not deliverable(bucket_of({ACL: grants}))
