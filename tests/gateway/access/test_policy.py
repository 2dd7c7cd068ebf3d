from __future__ import annotations

from typing import Any

import pytest

from catalog.records import Version
from gateway.access import ANONYMOUS
from gateway.access.policy import Verdict, policy_of
from tests.gateway.access.asking import ALICE, BOB, CAROL, Held, ask, bucket_of, ruled

NONE, ALLOW, DENY = Verdict.NONE, Verdict.ALLOW, Verdict.DENY


def decide(*statements: dict[str, Any], action: str = "s3:GetObject", **given: Any) -> Verdict:
    bucket = ruled(*statements)
    policy = policy_of(bucket)
    assert policy is not None
    return policy.decide(action, ask(bucket, **given))


@pytest.mark.parametrize("caller", [ALICE, BOB, ANONYMOUS])
def test_everybody(caller: Any) -> None:
    assert decide({}, caller=caller) is ALLOW
    assert decide({"Principal": {"AWS": "*"}}, caller=caller) is ALLOW


def test_those_who_are_named() -> None:
    for caller, verdict in ((BOB, ALLOW), (CAROL, ALLOW), (ALICE, NONE), (ANONYMOUS, NONE)):
        assert decide({"Principal": {"AWS": ["bob", "carol"]}}, caller=caller) is verdict


def test_all_but_those_who_are_named() -> None:
    for caller, verdict in ((BOB, NONE), (CAROL, DENY), (ANONYMOUS, DENY)):
        assert decide({"Effect": "Deny", "NotPrincipal": {"AWS": "bob"}}, caller=caller) is verdict


def test_a_denial_beats_whatever_allows() -> None:
    statements = [{}, {"Effect": "Deny", "Resource": "arn:aws:s3:::b/secret/*"}, {"Action": "s3:*"}]
    assert decide(*statements, key="open") is ALLOW
    assert decide(*statements, key="secret/x") is DENY


@pytest.mark.parametrize(
    ("action", "key", "verdict"),
    [
        ("s3:GetObject", "logs/1", ALLOW),
        ("s3:GetObject", "log", NONE),
        ("s3:PutObject", "logs/1", NONE),
        ("s3:GetObjectVersion", "logs/1", NONE),
    ],
)
def test_what_and_where(action: str, key: str, verdict: Verdict) -> None:
    statement = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/logs/*"}
    assert decide(statement, action=action, key=key) is verdict


def test_all_but_these_actions_and_resources() -> None:
    but_deletes = {"NotAction": "s3:Delete*"}
    assert decide(but_deletes) is ALLOW
    assert decide(but_deletes, action="s3:DeleteObject") is NONE
    but_secrets = {"NotResource": "arn:aws:s3:::b/secret/*", "Action": "s3:GetObject"}
    assert decide(but_secrets) is ALLOW
    assert decide(but_secrets, key="secret/1") is NONE


def test_the_bucket_is_no_key() -> None:
    listing = {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}
    assert decide(listing, action="s3:ListBucket", key=None) is ALLOW
    assert (
        decide({"Action": "s3:ListBucket", "Resource": ["arn:aws:s3:::b*"]}, action="s3:ListBucket", key=None) is ALLOW
    )


def test_every_condition_must_hold() -> None:
    statement = {"Condition": {"Bool": {"aws:SecureTransport": "true"}, "StringLike": {"aws:Referer": "http*"}}}
    assert decide(statement, scheme="https", referer="http://x") is ALLOW
    assert decide(statement, scheme="http", referer="http://x") is NONE
    assert decide(statement, scheme="https") is NONE


def test_a_folder_for_each_user() -> None:
    statement = {"Resource": "arn:aws:s3:::b/home/${aws:username}/*", "Principal": {"AWS": ["bob", "carol"]}}
    assert decide(statement, key="home/bob/x") is ALLOW
    assert decide(statement, key="home/carol/x") is NONE
    assert decide({**statement, "Principal": "*"}, key="home//x", caller=ANONYMOUS) is NONE


def test_what_cannot_be_told_allows_nothing() -> None:
    unknown = {"NotResource": "arn:aws:s3:::b/${aws:Referer}/*", "Action": "s3:GetObject"}
    assert decide(unknown) is NONE
    assert decide({**unknown, "Effect": "Deny"}) is DENY
    assert decide({"Condition": {"StringNotEquals": {"aws:UserAgent": "${aws:Referer}"}}}, user_agent="x") is NONE


def test_tags_of_the_object_are_looked_up() -> None:
    statement = {"Condition": {"StringEquals": {"s3:ExistingObjectTag/level": "open"}}}
    held = Held(a=Version(1, "", 0, "", 0, "", "", tags={"level": "open"}), b=Version(2, "", 0, "", 0, "", ""))
    assert [decide(statement, key=key, held=held) for key in "abc"] == [ALLOW, NONE, NONE]


def test_what_waits_for_the_document() -> None:
    tags = {"Action": "s3:PutObjectTagging", "Condition": {"StringEquals": {"s3:RequestObjectTag/a": "1"}}}
    for statement, waits in ((tags, True), ({}, False)):
        policy = policy_of(ruled(statement))
        assert policy is not None
        assert policy.by_document is waits


def test_a_bucket_without_a_policy() -> None:
    assert policy_of(bucket_of()) is None
    assert policy_of(bucket_of({"cors": "[]"})) is None


def test_a_policy_is_compiled_once() -> None:
    assert policy_of(ruled({})) is policy_of(ruled({}))
    assert policy_of(ruled({})) is not policy_of(ruled({"Action": "s3:PutObject"}))
