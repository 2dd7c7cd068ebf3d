from __future__ import annotations

import msgspec
import pytest

from catalog.lifecycle import (
    SETTING,
    AbortIncompleteMultipartUpload,
    Configuration,
    Expiration,
    Filter,
    Rule,
)
from catalog.records import Bucket, Upload, Version
from gateway.operations.expiring import abort, expiration

NOON = 1_795_262_400_000  # 2026-11-21 12:00
VERSION = Version(1, "null", NOON, "e", 5, "STANDARD", "o")
BARE = Bucket(1, "b", "o", 0, "us-east-1")
PLAIN = Rule("Enabled", "id", filter=Filter(), expiration=Expiration(days=1))


def bucket(*rules: Rule) -> Bucket:
    kept = msgspec.json.encode(Configuration(rules)).decode()
    return msgspec.structs.replace(BARE, settings={SETTING: kept})


@pytest.mark.parametrize(
    "without",
    [
        BARE,
        msgspec.structs.replace(BARE, settings={"cors": "x"}),
        bucket(msgspec.structs.replace(PLAIN, status="Disabled")),
    ],
)
def test_without_rules_nothing_is_said(without: Bucket) -> None:
    assert expiration(without, "k", VERSION) == {}
    assert abort(without, Upload("u", 1, "k", NOON, "o")) == {}


@pytest.mark.parametrize(
    ("id", "said"),
    [("id", "id"), ("my rule, the 1st!", "my rule, the 1st!"), ('"', "%22"), ("50%", "50%25"), ("é\n", "%C3%A9%0A")],
)
def test_when_and_by_which_rule(id: str, said: str) -> None:
    found = expiration(bucket(msgspec.structs.replace(PLAIN, id=id)), "k", VERSION)
    assert found == {"expiration": f'expiry-date="Mon, 23 Nov 2026 00:00:00 GMT", rule-id="{said}"'}


def test_an_upload() -> None:
    rule = Rule("Enabled", "id", prefix="k", abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(7))
    found = abort(bucket(rule), Upload("u", 1, "key", NOON, "o"))
    assert found == {"abort_date": NOON - NOON % 86_400_000 + 8 * 86_400_000, "abort_rule_id": "id"}
    assert abort(bucket(rule), Upload("u", 1, "other", NOON, "o")) == {}
