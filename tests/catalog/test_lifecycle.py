from __future__ import annotations

import pytest

from catalog.lifecycle import (
    ABORT,
    DAY,
    EXPIRE,
    REMOVE_MARKER,
    REMOVE_NONCURRENT,
    AbortIncompleteMultipartUpload,
    And,
    Configuration,
    Due,
    Expiration,
    Filter,
    NoncurrentVersionExpiration,
    Rule,
    Scope,
    Step,
    Tag,
    abortion,
    expiry,
    midnight,
    steps,
)

HOUR = DAY // 24
FIFTEENTH = 16_085 * DAY  # 2014-01-15
DAYS = NoncurrentVersionExpiration(noncurrent_days=3)
ABORTING = AbortIncompleteMultipartUpload(7)


@pytest.mark.parametrize(
    ("since", "days", "due"),
    [
        (FIFTEENTH + 10 * HOUR + HOUR // 2, 3, FIFTEENTH + 4 * DAY),  # AWS's own example
        (FIFTEENTH + 1, 1, FIFTEENTH + 2 * DAY),
        (FIFTEENTH + DAY - 1, 1, FIFTEENTH + 2 * DAY),
        (FIFTEENTH, 1, FIFTEENTH + 2 * DAY),
    ],
)
def test_days_are_rounded_up_to_a_midnight(since: int, days: int, due: int) -> None:
    assert midnight(since, days) == due


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        (Scope(), True),
        (Scope("logs/"), True),
        (Scope("logs/a"), True),
        (Scope("Logs"), False),
        (Scope(above=99), True),
        (Scope(above=100), False),
        (Scope(below=101), True),
        (Scope(below=100), False),
        (Scope(tags={"a": "1"}), True),
        (Scope(tags={"a": "1", "b": "2"}), True),
        (Scope(tags={"a": "2"}), False),
        (Scope(tags={"a": "1", "c": ""}), False),
        (Scope("logs/", {"a": "1"}, 99, 101), True),
        (Scope("logs/", {"a": "1"}, 99, 100), False),
    ],
)
def test_a_scope_holds_for_what_is_all_it_says(scope: Scope, held: bool) -> None:
    assert scope.holds("logs/a", 100, {"a": "1", "b": "2"}) is held
    assert scope.holds("logs/a", 100, None) is (held and not scope.tags)


@pytest.mark.parametrize(
    ("rule", "scope"),
    [
        (Rule("Enabled", prefix="p"), Scope("p")),
        (Rule("Enabled", filter=Filter()), Scope()),
        (Rule("Enabled", filter=Filter(prefix="p")), Scope("p")),
        (Rule("Enabled", filter=Filter(tag=Tag("k", "v"))), Scope(tags={"k": "v"})),
        (Rule("Enabled", filter=Filter(object_size_greater_than=5)), Scope(above=5)),
        (Rule("Enabled", filter=Filter(object_size_less_than=5)), Scope(below=5)),
        (
            Rule("Enabled", filter=Filter(and_=And("p", (Tag("a", "1"), Tag("b", "2")), 1, 9))),
            Scope("p", {"a": "1", "b": "2"}, 1, 9),
        ),
    ],
)
def test_what_a_rule_is_about(rule: Rule, scope: Scope) -> None:
    assert rule.scope == scope


def rule(id: str, prefix: str = "", status: str = "Enabled", **action: object) -> Rule:
    return Rule(status, id, filter=Filter(prefix=prefix), **action)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rules", "due"),
    [
        ([rule("a", expiration=Expiration(days=1))], Due(FIFTEENTH + 2 * DAY, "a")),
        ([rule("a", "other", expiration=Expiration(days=1))], None),
        ([rule("a", status="Disabled", expiration=Expiration(days=1))], None),
        ([rule("a", noncurrent_version_expiration=DAYS)], None),
        ([rule("a", expiration=Expiration(expired_object_delete_marker=True))], None),
        ([rule("a", expiration=Expiration(date=FIFTEENTH))], Due(FIFTEENTH, "a")),
        # The shortest holds; of those that say the same, the first.
        (
            [rule("a", expiration=Expiration(days=9)), rule("b", "k", expiration=Expiration(days=2))],
            Due(FIFTEENTH + 3 * DAY, "b"),
        ),
        (
            [rule("b", "k", expiration=Expiration(days=2)), rule("a", expiration=Expiration(days=2))],
            Due(FIFTEENTH + 3 * DAY, "b"),
        ),
        (
            [rule("a", expiration=Expiration(days=9)), rule("b", expiration=Expiration(date=FIFTEENTH + DAY))],
            Due(FIFTEENTH + DAY, "b"),
        ),
    ],
)
def test_when_an_object_expires(rules: list[Rule], due: Due | None) -> None:
    assert expiry(Configuration(tuple(rules)), "key", 5, None, FIFTEENTH + HOUR) == due


def test_when_an_upload_is_aborted() -> None:
    rules = (
        rule("a", abort_incomplete_multipart_upload=ABORTING),
        rule("b", "k", abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(1)),
    )
    assert abortion(Configuration(rules), "key", FIFTEENTH + HOUR) == Due(FIFTEENTH + 2 * DAY, "b")
    assert abortion(Configuration(rules), "other", FIFTEENTH + HOUR) == Due(FIFTEENTH + 8 * DAY, "a")
    assert abortion(Configuration(rules[1:]), "other", FIFTEENTH + HOUR) is None


NOW = FIFTEENTH + 5 * HOUR
EVERY = Scope()


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([], []),
        (
            [rule("a", expiration=Expiration(days=3))],
            [
                Step("a", EXPIRE, EVERY, FIFTEENTH - 3 * DAY),
                Step("a", REMOVE_MARKER, EVERY, FIFTEENTH - 3 * DAY),
            ],
        ),
        (
            [rule("a", expiration=Expiration(date=FIFTEENTH))],
            [Step("a", EXPIRE, EVERY, None), Step("a", REMOVE_MARKER, EVERY, None)],
        ),
        ([rule("a", expiration=Expiration(date=FIFTEENTH + DAY))], []),
        (
            [rule("a", expiration=Expiration(expired_object_delete_marker=True))],
            [Step("a", REMOVE_MARKER, EVERY, None)],
        ),
        ([rule("a", expiration=Expiration(expired_object_delete_marker=False))], []),
        # Noncurrent versions first, whatever the order of the rules; uploads last.
        (
            [
                rule("a", abort_incomplete_multipart_upload=ABORTING),
                rule("b", expiration=Expiration(days=1)),
                rule("c", "p", noncurrent_version_expiration=NoncurrentVersionExpiration(3, 2)),
            ],
            [
                Step("c", REMOVE_NONCURRENT, Scope("p"), FIFTEENTH - 3 * DAY, 2),
                Step("b", EXPIRE, EVERY, FIFTEENTH - DAY),
                Step("b", REMOVE_MARKER, EVERY, FIFTEENTH - DAY),
                Step("a", ABORT, EVERY, FIFTEENTH - 7 * DAY),
            ],
        ),
        ([rule("a", expiration=Expiration(days=2**31 - 1))], []),
    ],
)
def test_what_is_to_be_done(rules: list[Rule], found: list[Step]) -> None:
    assert list(steps(rules, NOW)) == found


@pytest.mark.parametrize("days", [1, 2, 30])
@pytest.mark.parametrize("offset", [0, 1, HOUR, DAY - 1])
def test_what_is_to_be_done_is_what_the_header_said(days: int, offset: int) -> None:
    made = FIFTEENTH + offset
    due = midnight(made, days)
    (early, _), (late, _) = (list(steps([rule("a", expiration=Expiration(days=days))], now)) for now in (due - 1, due))
    assert early.before is not None and late.before is not None
    assert not made < early.before
    assert made < late.before
