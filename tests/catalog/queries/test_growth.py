from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.database.connection import open_database
from catalog.database.limits import Limits
from catalog.database.local import Local
from catalog.errors import InvalidFilter
from catalog.queries import Forecast, Reached, get_forecast, get_growth
from tests.catalog.database import history
from tests.catalog.database.history import History, MemorySource

DAY = 86_400_000
TODAY = datetime.now(UTC).date()


def told(monkeypatch: pytest.MonkeyPatch, days: int) -> History:
    """One mutation a day, the first so many days ago, a minute after midnight."""
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    monkeypatch.setattr(history, "START", int(midnight.timestamp() * 1000) - days * DAY + 60_000)
    return History(pause=DAY)


@contextmanager
def reached(history: History) -> Iterator[Reached]:
    with open_database(None) as connection:
        yield Local(Path(), connection, MemorySource(history), Limits())


@pytest.fixture(scope="module")
def catalog() -> Iterator[Reached]:
    """From 2025-10-09 08:53:20 on, one mutation every ten days; the comments say the dates."""
    history = History(pause=10 * DAY)
    photos = history.create_bucket("photos", "Enabled").id  # 10-09
    history.put(photos, "a/1", 100)  # 10-19
    history.put(photos, "a/b/2", 200)  # 10-29
    gone = history.put(photos, "c/3", 50)  # 11-08
    history.put(photos, "a/1", 150)  # 11-18
    history.remove_version(photos, "c/3", gone.seq)  # 11-28
    logs = history.create_bucket("logs").id  # 12-08
    history.put(logs, "today.log", 7)  # 12-18
    with reached(history) as catalog:
        yield catalog


def found(catalog: Reached, **asked: Any) -> list[tuple[Any, ...]]:
    page = get_growth(catalog, until=date(2025, 12, 31), **asked)
    return [(each.name, str(each.period), each.objects, each.bytes, each.bytes_more) for each in page.items]


def test_by_month(catalog: Reached) -> None:
    assert found(catalog, every="month") == [
        ("logs", "2025-12-01", 1, 7, 7),
        ("photos", "2025-10-01", 2, 300, 300),
        ("photos", "2025-11-01", 2, 350, 50),
        ("photos", "2025-12-01", 2, 350, 0),
    ]


def test_by_week_from_monday_on(catalog: Reached) -> None:
    assert found(catalog, every="week", bucket="photos", since=date(2025, 11, 5))[:4] == [
        ("photos", "2025-11-03", 3, 350, 50),
        ("photos", "2025-11-10", 3, 350, 0),
        ("photos", "2025-11-17", 3, 400, 50),
        ("photos", "2025-11-24", 2, 350, -50),
    ]


def test_by_day_with_what_is_noncurrent(catalog: Reached) -> None:
    (day,) = get_growth(catalog, bucket="photos", since=date(2025, 11, 18), until=date(2025, 11, 18)).items
    assert (day.objects, day.bytes, day.noncurrent_bytes) == (3, 400, 100)
    assert (day.objects_more, day.bytes_more, day.noncurrent_bytes_more) == (0, 50, 100)


def test_by_prefix_and_until_nothing_is_left_there(catalog: Reached) -> None:
    assert found(catalog, every="month", bucket="photos", depth=2, since=date(2025, 11, 1)) == [
        ("a/", "2025-11-01", 1, 150, 50),
        ("a/", "2025-12-01", 1, 150, 0),
        ("a/b/", "2025-11-01", 1, 200, 0),
        ("a/b/", "2025-12-01", 1, 200, 0),
    ]
    assert found(catalog, every="day", bucket="photos", prefix="c/", since=date(2025, 11, 27)) == [
        ("c/", "2025-11-27", 1, 50, 0),
        ("c/", "2025-11-28", 0, 0, -50),
    ]
    assert found(catalog, every="month", bucket="photos", prefix="a/")[0] == ("a/", "2025-10-01", 2, 300, 300)


def test_pages_together_are_all(catalog: Reached) -> None:
    whole = get_growth(catalog, "week", until=date(2026, 1, 31))
    pages, after = [], None
    while not pages or after is not None:
        page = get_growth(catalog, "week", until=date(2026, 1, 31), limit=3, after=after)
        pages.append(page.items)
        after = page.next
    assert whole.items == tuple(each for page in pages for each in page) and len(pages) > 3


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("every", {"every": "year"}),
        ("bucket", {"depth": 1}),
        ("bucket", {"prefix": "a/"}),
        ("bucket", {"bucket": "nowhere"}),
        ("depth", {"bucket": "photos", "depth": 5}),
        ("depth", {"bucket": "photos", "depth": 1, "prefix": "a/"}),
        ("prefix", {"bucket": "photos", "prefix": "a"}),
        ("prefix", {"bucket": "photos", "prefix": "a/b/c/d/e/"}),
        ("since", {"since": date(2025, 2, 2), "until": date(2025, 2, 1)}),
        ("limit", {"limit": 0}),
        ("after", {"after": "x"}),
    ],
)
def test_what_means_nothing_is_refused_by_its_name(catalog: Reached, field: str, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidFilter) as refused:
        get_growth(catalog, **asked)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("capacity", {}),
        ("capacity", {"capacity": 1, "free": 1}),
        ("capacity", {"capacity": -1}),
        ("free", {"free": -1}),
        ("days", {"free": 1, "days": 13}),
        ("bucket", {"free": 1, "prefix": "a/"}),
        ("bucket", {"free": 1, "bucket": "nowhere"}),
    ],
)
def test_no_forecast_of_what_means_nothing(catalog: Reached, field: str, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidFilter) as refused:
        get_forecast(catalog, **asked)
    assert refused.value.field == field


def test_steady_growth_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 bytes a day, today's among them: no error to be seen, so none is foretold."""
    history = told(monkeypatch, 31)
    photos = history.create_bucket("photos").id
    for number in range(31):
        history.put(photos, f"folder/{number}", 100)
    with reached(history) as catalog:
        forecast = get_forecast(catalog, capacity=4100)
        assert (forecast.bytes, forecast.days, forecast.per_day, forecast.too_short) == (3100, 30, 100, None)
        in_ten_days = TODAY + timedelta(10)
        assert (forecast.full_on, forecast.full_earliest, forecast.full_latest) == (in_ten_days,) * 3
        assert [((each.day - TODAY).days, each.bytes, each.low, each.high) for each in forecast.ahead[:2]] == [
            (7, 3800, 3800, 3800),
            (30, 6100, 6100, 6100),
        ]
        assert get_forecast(catalog, free=1000) == forecast
        assert get_forecast(catalog, "photos", "folder/", free=1000) == forecast
        assert get_forecast(catalog, capacity=10).full_on == TODAY
        assert get_forecast(catalog, free=10**9).full_on is None
        assert get_forecast(catalog, free=1000, days=20).days == 20


def test_too_short_a_history_foretells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    history = told(monkeypatch, 14)
    photos = history.create_bucket("photos").id
    for number in range(14):
        history.put(photos, f"{number}", 100)
    with reached(history) as catalog:
        why = "there are 13 whole days of history, and 14 are needed"
        assert get_forecast(catalog, free=1) == Forecast(1400, 13, 1401, why)
    with reached(History()) as catalog:
        assert get_forecast(catalog, free=1).bytes == 0
