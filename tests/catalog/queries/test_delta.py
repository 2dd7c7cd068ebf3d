from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.database.connection import open_database
from catalog.database.limits import Limits
from catalog.database.local import Local
from catalog.errors import InvalidFilter
from catalog.queries import Reached, compute_version_delta
from tests.catalog.database.history import ORIGIN, History, MemorySource


def found(catalog: Reached, *points: Any) -> list[tuple[str, str, int, int]]:
    page = compute_version_delta(catalog, "photos", *points)
    return [(change.key, change.change, change.bytes, change.seq) for change in page.items]


def test_what_changed_between_two_sequence_numbers(catalog: Reached) -> None:
    assert found(catalog, 3, 6) == [
        ("2024/old/cow.png", "added", 400, 5),
        ("2025/cat.jpg", "changed", 200, 4),
        ("2025/dog.jpg", "removed", -200, 6),
    ]
    assert found(catalog, 6, 7) == [("2024/old/cow.png", "changed", 0, 7)]
    assert found(catalog, 4, 7) == [("2024/old/cow.png", "added", 400, 7), ("2025/dog.jpg", "removed", -200, 6)]
    assert found(catalog, 7, 7) == []
    assert found(catalog, 10) == [("empty", "added", 0, 14)]


def test_between_two_times(catalog: Reached) -> None:
    assert found(catalog, datetime(2025, 10, 9, 11, 0), datetime(2025, 10, 9, 14, 0)) == found(catalog, 3, 6)
    assert found(catalog, datetime(2025, 10, 9, 11, 0), 6) == found(catalog, 3, 6)


def test_who_and_when(catalog: Reached) -> None:
    (change,) = compute_version_delta(catalog, "photos", 5, 6).items
    assert change.record_timestamp == datetime(2025, 10, 9, 13, 53, 20)
    assert (change.requester, change.source_ip_address) == (ORIGIN.requester, ORIGIN.source_ip)
    assert change.request_id == ORIGIN.request_id
    assert (change.version_id_before, change.version_id) == (f"{3:032x}", None)


def test_pages_are_of_one_delta(catalog: Reached) -> None:
    first = compute_version_delta(catalog, "photos", 3, 6, limit=2)
    assert [change.key for change in first.items] == ["2024/old/cow.png", "2025/cat.jpg"]
    second = compute_version_delta(catalog, "photos", 0, limit=2, after=first.next)
    assert [change.key for change in second.items] == ["2025/dog.jpg"] and second.next is None


def test_keys_that_were_written_to_and_are_what_they_were_fill_no_page() -> None:
    history = History()
    bucket = history.create_bucket("photos").id  # 1
    for number in range(40):
        history.put(bucket, f"{number:02}")  # 2 to 41
    for number in range(40):
        history.tag(bucket, f"{number:02}", number + 2, {"size": "9" if number in (9, 37, 39) else "10"})
    with open_database(None) as connection:
        catalog = Local(Path(), connection, MemorySource(history), Limits())
        first = compute_version_delta(catalog, "photos", 41, limit=2)
        assert [change.key for change in first.items] == ["09", "37"]
        second = compute_version_delta(catalog, "photos", 41, limit=2, after=first.next)
        assert [change.key for change in second.items] == ["39"] and second.next is None


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("since", (6, 3)),
        ("since", (15,)),
        ("until", (1, 15)),
        ("since", (-1,)),
        ("since", (True,)),
        ("until", (0, "no-such-name")),
    ],
)
def test_a_point_that_is_none_is_refused_by_its_name(catalog: Reached, field: str, asked: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidFilter) as refused:
        compute_version_delta(catalog, "photos", *asked)
    assert refused.value.field == field


def test_the_next_page_of_another_bucket_is_refused(catalog: Reached) -> None:
    page = compute_version_delta(catalog, "photos", 0, limit=1)
    with pytest.raises(InvalidFilter, match="after"):
        compute_version_delta(catalog, "logs", 0, after=page.next)
