from __future__ import annotations

import msgspec
import pytest

from catalog.notifications import Configuration, FilterRule, Rule
from gateway.operations.notifications import check_event, check_targets, dated, read_filters
from gateway.s3.errors import S3Error
from gateway.settings import Settings

RULE = Rule("rule", "queue_configurations", "arn:minio:sqs::hook:webhook", ("s3:ObjectCreated:*",))


def test_a_rule_that_was_there_goes_on_from_where_it_did() -> None:
    before = Configuration((msgspec.structs.replace(RULE, since=5),))
    other = msgspec.structs.replace(RULE, id="other")
    altered = msgspec.structs.replace(RULE, events=("s3:ObjectCreated:Put",))
    assert [rule.since for rule in dated([other, RULE], before, 9)] == [9, 5]
    assert [rule.since for rule in dated([altered], before, 9)] == [9]
    assert [rule.since for rule in dated([RULE], None, 9)] == [9]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("s3:ObjectCreated:*", None),
        ("s3:ObjectAcl:Put", None),
        ("s3:ObjectAcl:*", "InvalidArgument"),
        ("s3:ObjectCreated", "InvalidArgument"),
        ("s3:TestEvent", "InvalidArgument"),
        ("s3:ObjectAccessed:Get", "InvalidArgument"),
        ("s3:Replication:*", "NotImplemented"),
    ],
)
def test_events_that_may_be_named(event: str, code: str | None) -> None:
    if code is None:
        check_event(event)
        return
    with pytest.raises(S3Error) as refused:
        check_event(event)
    assert refused.value.code == code


def test_filters_are_kept_in_their_order() -> None:
    given = {"key": {"filter_rules": [{"name": "suffix", "value": "b"}, {"name": "PREFIX"}]}}
    assert read_filters(given) == (FilterRule("Suffix", "b"), FilterRule("Prefix", ""))
    assert read_filters({}) == ()
    assert read_filters(None) is None


def test_a_target_must_be_one_of_the_settings() -> None:
    check_targets([RULE], Settings(notify_webhook=(("hook", "http://h/"),)))
    with pytest.raises(S3Error) as refused:
        check_targets([RULE], Settings())
    assert refused.value.fields["ArgumentName1"] == RULE.arn
