from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from catalog.database.connection import open_database
from catalog.database.frames import Sql
from catalog.database.limits import Limits
from catalog.database.local import Local
from catalog.errors import InvalidFilter, QueryRefused
from catalog.queries import (
    Reached,
    compute_version_delta,
    get_point,
    latest_point,
    list_files,
    list_points,
    parse_point,
    set_point,
)
from tests.catalog.database.history import History, MemorySource


def test_what_a_text_says() -> None:
    assert parse_point("17") == 17
    assert parse_point("2025-10-10") == datetime(2025, 10, 10)
    assert parse_point("2025-10-10T12:00+02:00") == datetime(2025, 10, 10, 12, tzinfo=timezone(timedelta(hours=2)))
    assert parse_point("before-import") == "before-import"


def test_a_name_stands_for_a_point_in_deltas_and_listings(catalog: Reached) -> None:
    assert set_point(catalog, "photos", "early", 3).seq == 3
    assert set_point(catalog, "photos", "later", datetime(2025, 10, 9, 13, 54)).seq == 6
    assert set_point(catalog, "photos", "end").seq == 14
    assert [(point.name, point.seq) for point in list_points(catalog, "photos")] == [
        ("early", 3),
        ("later", 6),
        ("end", 14),
    ]
    assert list_points(catalog, "logs") == ()
    by_name = compute_version_delta(catalog, "photos", "early", "later")
    assert by_name == compute_version_delta(catalog, "photos", 3, 6) and len(by_name.items) == 3
    assert list_files(catalog, "photos", at="early") == list_files(catalog, "photos", at=3)
    with pytest.raises(InvalidFilter, match="since"):
        compute_version_delta(catalog, "logs", "early")


def test_a_name_given_anew_stands_for_the_new_point(catalog: Reached) -> None:
    set_point(catalog, "photos", "here", 3)
    assert set_point(catalog, "photos", "here", 4) == get_point(catalog, "photos", "here")
    assert get_point(catalog, "photos", "here").seq == 4
    assert set_point(catalog, "photos", "there", "here").seq == 4


def test_the_latest_is_the_bucket_s(catalog: Reached) -> None:
    assert latest_point(catalog, "logs").seq == 9
    assert latest_point(catalog, "photos").record_timestamp == datetime(2025, 10, 9, 21, 53, 20)


@pytest.mark.parametrize("name", ["", "latest", "17", "2025-10-10", "with space", "a" * 129, "ä"])
def test_a_name_is_not_to_be_taken_for_something_else(catalog: Reached, name: str) -> None:
    with pytest.raises(QueryRefused, match="a letter first"):
        set_point(catalog, "photos", name, 3)


def test_what_there_is_not(catalog: Reached) -> None:
    with pytest.raises(InvalidFilter, match="no-such"):
        get_point(catalog, "photos", "no-such")
    for bucket, at in (("nowhere", 1), ("photos", 15)):
        with pytest.raises(InvalidFilter):
            set_point(catalog, bucket, "x", at)


def test_a_bucket_of_which_the_journal_has_nothing() -> None:
    """As after the catalog was made anew of the index."""
    history = History()
    history.create_bucket("photos")
    with open_database(None) as connection:
        catalog = Local(Path(), connection, MemorySource(history), Limits())
        catalog.sync()
        connection.execute("DELETE FROM private.journal")
        with pytest.raises(InvalidFilter, match="bucket"):
            latest_point(catalog, "photos")


def test_names_go_with_their_bucket_and_are_its_owner_s() -> None:
    history = History()
    first = history.create_bucket("photos", owner="b" * 64).id
    with open_database(None) as connection:
        catalog = Local(Path(), connection, MemorySource(history), Limits())
        set_point(catalog, "photos", "then", 1)
        for owner, rows in (("b" * 64, 1), ("c" * 64, 0)):
            asked = Sql("FROM named_points", owner=owner)
            assert list(catalog.sql(asked))[-1].rows == rows  # type: ignore[union-attr]
        history.delete_bucket(first)
        history.create_bucket("photos")
        assert list_points(catalog, "photos") == ()
