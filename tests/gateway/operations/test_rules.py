"""conformance/test_put_bucket_lifecycle_configuration.py has each refusal; here is what no client of AWS's can send."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.lifecycle import Rule
from gateway.operations.rules import MAX_NEWER, read_rules
from gateway.s3.errors import S3Error

RULE: dict[str, Any] = {"id": "a", "status": "Enabled", "filter": {}, "expiration": {"days": 1}}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"expiration": {"days": 2**31}}, "InvalidArgument"),
        ({"filter": {"prefix": "p" * 1025}}, "InvalidRequest"),
        ({"filter": {"prefix": "ü" * 513}}, "InvalidRequest"),
        ({"filter": {"object_size_greater_than": -1}}, "InvalidRequest"),
        ({"filter": {"object_size_less_than": 1_099_511_627_776_001}}, "InvalidRequest"),
        ({"filter": {"and": {}}}, "MalformedXML"),
        ({"filter": {"tag": {"key": "", "value": ""}}}, "InvalidTag"),
        ({"noncurrent_version_transitions": [{"storage_class": "GLACIER"}]}, "MalformedXML"),
        (
            {"noncurrent_version_expiration": {"noncurrent_days": 1, "newer_noncurrent_versions": MAX_NEWER + 1}},
            "InvalidArgument",
        ),
    ],
)
def test_what_is_no_rule(change: dict[str, Any], code: str) -> None:
    with pytest.raises(S3Error) as refused:
        read_rules([RULE | change])
    assert refused.value.code == code


def test_rules_without_an_id_get_one_each() -> None:
    given = [{name: value for name, value in RULE.items() if name != "id"}] * 3
    ids = [rule.id for rule in read_rules(given)]
    assert len(set(ids)) == 3 and all(len(id) == 48 for id in ids)
    assert next(rule.id for rule in read_rules([RULE, *given])) == "a"


def test_an_action_of_an_empty_element_is_none_to_be_passed_over() -> None:
    (rule,) = read_rules([RULE | {"transitions": []}])
    assert isinstance(rule, Rule)
    with pytest.raises(S3Error) as refused:
        read_rules([{**RULE, "expiration": None}])
    assert refused.value.message == "At least one action needs to be specified in a rule"
