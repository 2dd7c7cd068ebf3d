from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog.errors import NoObject, PreconditionFailed
from catalog.records import Version
from gateway.operations.conditions import is_modified, on_delete, on_write
from gateway.s3.errors import S3Error

MODIFIED = int(datetime(2024, 11, 21, 10, 0, 0, tzinfo=UTC).timestamp()) * 1000
VERSION = Version(1, "null", MODIFIED + 900, "abc", 5, "STANDARD", "")
BEFORE, THEN, AFTER = MODIFIED - 1000, MODIFIED, MODIFIED + 1000


@pytest.mark.parametrize("etag", ['"abc"', "abc", "*", '"x", "abc"', "x,abc"])
def test_if_match_holds(etag: str) -> None:
    assert is_modified(VERSION, etag, None, None, None)


def test_if_match_fails() -> None:
    with pytest.raises(PreconditionFailed) as failed:
        is_modified(VERSION, '"x"', None, None, None)
    assert failed.value.condition == "If-Match"


@pytest.mark.parametrize(("etag", "modified"), [('"abc"', False), ("*", False), ('"x"', True)])
def test_if_none_match(etag: str, modified: bool) -> None:
    assert is_modified(VERSION, None, etag, None, None) is modified


@pytest.mark.parametrize(("since", "modified"), [(BEFORE, True), (THEN, False), (AFTER, False)])
def test_if_modified_since(since: int, modified: bool) -> None:
    assert is_modified(VERSION, None, None, since, None) is modified


def test_if_modified_since_a_time_to_come_is_overlooked() -> None:
    assert is_modified(VERSION, None, None, 2**41, None)


@pytest.mark.parametrize("since", [THEN, AFTER])
def test_if_unmodified_since_holds(since: int) -> None:
    assert is_modified(VERSION, None, None, None, since)


def test_if_unmodified_since_fails() -> None:
    with pytest.raises(PreconditionFailed) as failed:
        is_modified(VERSION, None, None, None, BEFORE)
    assert failed.value.condition == "If-Unmodified-Since"


def test_etags_go_before_times() -> None:
    assert is_modified(VERSION, "abc", None, None, BEFORE)
    assert not is_modified(VERSION, None, "abc", BEFORE, None)
    assert is_modified(VERSION, None, "x", AFTER, None)


def test_a_write_without_conditions_needs_no_check() -> None:
    assert on_write("b", "k", None, None) is None
    assert on_delete("b", "k", None) is None


def test_a_write_only_where_nothing_is() -> None:
    check = on_write("b", "k", None, "*")
    assert check is not None
    check(None)
    with pytest.raises(PreconditionFailed):
        check(VERSION)


def test_a_write_only_over_what_is_known() -> None:
    check = on_write("b", "k", '"abc"', None)
    assert check is not None
    check(VERSION)
    with pytest.raises(NoObject):
        check(None)
    other = on_write("b", "k", '"x"', None)
    assert other is not None
    with pytest.raises(PreconditionFailed):
        other(VERSION)


def test_a_write_over_anything_but_what_is_known() -> None:
    check = on_write("b", "k", None, '"x"')
    assert check is not None
    check(VERSION)
    check(None)
    same = on_write("b", "k", None, '"abc"')
    assert same is not None
    with pytest.raises(PreconditionFailed):
        same(VERSION)


def test_a_write_over_whatever_is_there() -> None:
    check = on_write("b", "k", "*", None)
    assert check is not None
    check(VERSION)
    with pytest.raises(NoObject):
        check(None)


def test_both_conditions_at_once_are_refused() -> None:
    with pytest.raises(S3Error, match="NotImplemented"):
        on_write("b", "k", "abc", "*")


def test_a_delete_only_of_what_is_known() -> None:
    check = on_delete("b", "k", '"abc"')
    assert check is not None
    check(VERSION)
    with pytest.raises(NoObject):
        check(None)
    other = on_delete("b", "k", '"x"')
    assert other is not None
    with pytest.raises(PreconditionFailed):
        other(VERSION)


def test_a_delete_only_of_what_is_there() -> None:
    check = on_delete("b", "k", "*")
    assert check is not None
    check(VERSION)
    with pytest.raises(PreconditionFailed):
        check(None)


@pytest.mark.parametrize(
    ("last_modified", "size", "holds"), [(THEN, None, True), (AFTER, None, False), (None, 5, True), (None, 6, False)]
)
def test_a_delete_by_time_and_size(last_modified: int | None, size: int | None, holds: bool) -> None:
    check = on_delete("b", "k", None, last_modified, size)
    assert check is not None
    check(None)
    if holds:
        check(VERSION)
    else:
        with pytest.raises(PreconditionFailed):
            check(VERSION)
