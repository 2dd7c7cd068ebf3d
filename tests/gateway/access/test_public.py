from __future__ import annotations

from typing import Any

import pytest

from gateway.access.policy import policy_of
from gateway.access.public import blocks
from tests.gateway.access.asking import bucket_of, ruled


def condition(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": ["alice", "*"]}}, True),
        ({"Principal": {"AWS": ["alice", "bob"]}}, False),
        ({"Effect": "Deny"}, False),
        (condition("IpAddress", "aws:SourceIp", "192.0.2.0/24"), False),
        (condition("IpAddress", "aws:SourceIp", "10.0.0.0/8", "2001:db8::/32"), False),
        (condition("IpAddress", "aws:SourceIp", "192.0.2.0/24", "0.0.0.0/1"), True),
        (condition("IpAddress", "aws:SourceIp", "0.0.0.0/0"), True),
        (condition("IpAddress", "aws:SourceIp", "2000::/3"), True),
        (condition("IpAddressIfExists", "aws:SourceIp", "192.0.2.0/24"), True),
        (condition("NotIpAddress", "aws:SourceIp", "192.0.2.0/24"), True),
        (condition("StringEquals", "aws:SourceVpc", "vpc-1"), False),
        (condition("StringLike", "aws:SourceVpc", "vpc-*"), True),
        (condition("StringLike", "aws:SourceVpc", "vpc-1"), False),
        (condition("StringEquals", "aws:userid", "a" * 64), False),
        (condition("StringEquals", "aws:userid", "${aws:Referer}"), True),
        (condition("StringNotEquals", "aws:userid", "a" * 64), True),
        (condition("ForAllValues:StringEquals", "aws:userid", "a" * 64), True),
        (condition("StringEquals", "aws:Referer", "http://site.example/"), True),
        (condition("Bool", "aws:SecureTransport", "true"), True),
    ],
)
def test_what_is_public(statement: dict[str, Any], public: bool) -> None:
    policy = policy_of(ruled({"Effect": "Deny", "Principal": {"AWS": "bob"}}, statement))
    assert policy is not None
    assert policy.public is public


def test_blocks_are_on_unless_they_are_turned_off() -> None:
    assert blocks(bucket_of(), "block_public_policy")
    assert blocks(bucket_of({"cors": ""}), "block_public_policy")
    assert not blocks(bucket_of({"public_access_block": "block_public_acls"}), "block_public_policy")
    assert not blocks(bucket_of({"public_access_block": "deleted"}), "block_public_policy")
