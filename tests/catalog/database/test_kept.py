"""What the database alone knows outlives it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog import Catalog
from catalog.database.client import reach
from catalog.database.connection import FILE, open_database
from catalog.database.follower import Follower
from catalog.database.frames import KeepValidations, Sql, Validation
from catalog.errors import QueryFailed
from catalog.queries import (
    Reached,
    get_growth,
    get_point,
    get_validation_summary,
    list_points,
    list_validations,
    set_point,
)
from catalog.records import Origin, Version

ORIGIN = Origin("someone")
DAY = timedelta(days=1)
TODAY = datetime.now(UTC).date()
PHOTOS = 1  # the bucket's id
MOST = 1000  # validations that are kept of a bucket
COLUMNS = "day, depth, prefix, objects, bytes, noncurrent_versions, noncurrent_bytes, delete_markers"
OF_TODAY = "SELECT * EXCLUDE (day) FROM usage_daily WHERE day = $today ORDER BY ALL"
HISTORY = f"SELECT {COLUMNS} FROM usage_daily WHERE day < $today ORDER BY ALL"


@pytest.fixture
async def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten days of puts and deletes, in segments small enough to be dropped: the last change is of yesterday."""
    await write(tmp_path / "data", [TODAY - (10 - day) * DAY for day in range(10)], monkeypatch)
    return tmp_path / "data"


async def write(data: Path, days: list[date], monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog.open(data)
    catalog._log.segment_size = 512 * 1024
    for number, day in enumerate(days):
        noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1e9)
        monkeypatch.setattr("catalog.commit.time.time_ns", lambda noon=noon: noon)
        if "photos" not in [bucket.name for bucket in catalog.buckets(None)]:
            await catalog.create_bucket(ORIGIN, "photos", "root", "us-east-1")
        bucket = catalog.bucket("photos")
        for copy in range(4):
            draft = Version(0, "", 0, f"{number}", 60_000, "STANDARD", "root")
            await catalog.put(ORIGIN, bucket, f"folder-{copy}/{number % 4}", draft, bytes(60_000))
        await catalog.delete(ORIGIN, bucket, f"folder-{number % 3}/{number % 4}")
    monkeypatch.undo()
    await catalog.close()


@contextmanager
def followed(data: Path) -> Iterator[Follower]:
    """As by the catalog process."""
    catalog = Catalog.open(data)
    try:
        with open_database(data) as connection:
            follower = Follower(connection, catalog.tail())
            follower.catch_up()
            yield follower
    finally:
        catalog.release()


def lose_database(data: Path) -> None:
    """And what of the log it has made superfluous."""
    catalog = Catalog.open(data)
    assert catalog.tail().drop_dead_segments(catalog.end())
    catalog.release()
    (data / FILE).unlink()


def answer(catalog: Reached, statement: str, **given: Any) -> list[bytes]:
    asked = Sql(statement, form="jsonl", parameters=given)
    return [answer.data for answer in catalog.sql(asked) if hasattr(answer, "data")]


def keep_validations(catalog: Reached, bucket_id: int | None, scrub: int = 1, findings: int = 0) -> None:
    """As a scrub does, a thousand at a time."""
    found = [Validation("present", "passed", 40, 2_400_000) if bucket_id else Validation("stray", "passed", 7)]
    found += [Validation(found[0].check, "failed", key=f"key-{number}", detail="!") for number in range(findings)]
    for first in range(0, len(found), MOST):
        some = found[first : first + MOST]
        catalog.keep_validations(KeepValidations(scrub * 1000, bucket_id, some, more=first > 0))


def test_views_and_points_outlive_the_database(data: Path) -> None:
    with reach(data) as catalog:
        catalog.change_view("add", "large", "-- The large ones.\nSELECT * FROM objects WHERE size > 1")
        catalog.change_view("add", "larger", "SELECT * FROM large WHERE size > 2")
        catalog.change_view("add", "gone", "SELECT 1")
        catalog.change_view("remove", "gone", "")
        catalog.change_view("materialise", "larger", "")
        point = set_point(catalog, "photos", "then", 5)
        set_point(catalog, "photos", "now", 7)
        set_point(catalog, "photos", "now")
        views, named = catalog.views(), list_points(catalog, "photos")
        rows = answer(catalog, "FROM larger ORDER BY key")
    lose_database(data)
    with reach(data) as catalog:
        assert [(view.name, view.description, view.statement) for view in catalog.views()] == [
            (view.name, view.description, view.statement) for view in views
        ]
        assert answer(catalog, "FROM larger ORDER BY key") == rows
        assert list_points(catalog, "photos") == named
        assert get_point(catalog, "photos", "then") == point


def test_what_is_written_is_what_there_is(data: Path) -> None:
    with followed(data) as follower:
        follower.keep_history()
    assert not (data / "kept.json").exists()
    with reach(data) as catalog:
        set_point(catalog, "photos", "then", 5)
    written = (data / "kept.json").read_bytes()
    (data / "kept.json").unlink()
    with followed(data) as follower:
        follower.keep_history()
    assert (data / "kept.json").read_bytes() == written


def test_usage_of_days_that_are_over_outlives_the_database(data: Path) -> None:
    with followed(data) as follower:
        follower.keep_history()
    with reach(data) as catalog:
        before = answer(catalog, HISTORY, today=str(TODAY))
        growth = get_growth(catalog, bucket="photos", depth=1)
    days = [path.stem for path in sorted((data / "usage").iterdir())]
    assert days == [str(TODAY - day * DAY) for day in range(10, 0, -1)]
    lose_database(data)
    with reach(data) as catalog:
        assert answer(catalog, HISTORY, today=str(TODAY)) == before and before != [b""]
        assert get_growth(catalog, bucket="photos", depth=1) == growth


async def test_what_happened_since_counts_as_of_today(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with followed(data) as follower:
        follower.keep_history()
    with reach(data) as catalog:
        before = answer(catalog, HISTORY, today=str(TODAY))
    await write(data, [TODAY], monkeypatch)
    with reach(data) as catalog:
        now = answer(catalog, "FROM usage ORDER BY ALL")
    lose_database(data)
    with reach(data) as catalog:
        assert answer(catalog, HISTORY, today=str(TODAY)) == before
        assert answer(catalog, "FROM usage ORDER BY ALL") == now
        assert answer(catalog, OF_TODAY, today=str(TODAY)) == now


async def test_a_database_that_is_too_far_behind_keeps_its_days(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with reach(data) as catalog:
        before = answer(catalog, HISTORY, today=str(TODAY))
    old = (data / FILE).read_bytes()
    await write(data, [TODAY] * 10, monkeypatch)
    with reach(data) as catalog:
        now = answer(catalog, "FROM usage ORDER BY ALL")
    lose_database(data)
    (data / FILE).write_bytes(old)
    with reach(data) as catalog:
        assert answer(catalog, HISTORY, today=str(TODAY)) == before
        assert answer(catalog, "FROM usage ORDER BY ALL") == now


def test_what_the_last_scrubs_came_to_outlives_the_database(data: Path) -> None:
    with reach(data) as catalog:
        keep_validations(catalog, PHOTOS, scrub=1, findings=2)
        keep_validations(catalog, PHOTOS, scrub=2, findings=5000)
        keep_validations(catalog, None, scrub=2, findings=1)
        before = list_validations(catalog, limit=10_000).items
    assert len(before) == 3 + 5001 + 2
    lose_database(data)
    with reach(data) as catalog:
        after = list_validations(catalog, limit=10_000).items
        summary = get_validation_summary(catalog)
    assert len(after) == MOST + 2
    assert {replace(each, validation=0) for each in after} < {replace(each, validation=0) for each in before}
    assert [(each.bucket, each.check_type, each.passed) for each in summary] == [
        ("photos", "present", 40),
        (None, "stray", 7),
    ]


def test_what_a_scrub_said_of_a_bucket_that_is_gone_is_forgotten(data: Path) -> None:
    with reach(data) as catalog:
        for bucket_id in (PHOTOS, 4711, None):
            keep_validations(catalog, bucket_id)
    with followed(data) as follower:
        follower.keep_history()
    assert sorted(path.name for path in (data / "validations").iterdir()) == [f"{PHOTOS}.json", "folder.json"]


async def test_what_another_catalog_kept_is_told_of_and_not_believed(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(tmp_path / "other", [TODAY - DAY], monkeypatch)
    with followed(tmp_path / "other") as follower:
        follower.keep_history()
    with reach(tmp_path / "other") as catalog:
        set_point(catalog, "photos", "theirs", 2)
        catalog.change_view("add", "theirs", "SELECT 1")
        keep_validations(catalog, PHOTOS)
    theirs = [Path("kept.json"), Path("validations", f"{PHOTOS}.json"), Path("usage", f"{TODAY - DAY}.parquet")]
    for path in theirs:
        (data / path).parent.mkdir(exist_ok=True)
        shutil.copy(tmp_path / "other" / path, data / path)
    with reach(data) as catalog:
        catalog.sync()
    lose_database(data)
    with caplog.at_level(logging.WARNING), reach(data) as catalog:
        assert list_points(catalog, "photos") == ()
        assert "theirs" not in [view.name for view in catalog.views()]
        assert list_validations(catalog).items == ()
        assert answer(catalog, HISTORY, today=str(TODAY)) == []
    assert [f"{data / path} is of another catalog" in caplog.text for path in theirs] == [True] * 3


def test_what_cannot_be_read_is_told_of_and_done_without(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    with followed(data) as follower:
        follower.keep_history()
    (data / "kept.json").write_text("{")
    (data / "usage" / f"{TODAY - DAY}.parquet").write_text("{")
    lose_database(data)
    with caplog.at_level(logging.WARNING), reach(data) as catalog:
        assert list_points(catalog, "photos") == ()
        assert len(get_growth(catalog, bucket="photos").items) == 11
    assert "kept.json cannot be read" in caplog.text and f"{TODAY - DAY}.parquet cannot be read" in caplog.text


def test_what_cannot_be_kept_is_told_of(data: Path) -> None:
    (data / "kept.json.new").mkdir()
    with reach(data) as catalog:
        with pytest.raises(QueryFailed, match="it is done, but"):
            set_point(catalog, "photos", "then", 5)
        assert get_point(catalog, "photos", "then").seq == 5
