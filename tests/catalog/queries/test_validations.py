from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from catalog.database.connection import open_database
from catalog.database.frames import KeepValidations, Sql, Validation
from catalog.database.limits import Limits
from catalog.database.local import Local
from catalog.errors import InvalidFilter
from catalog.queries import Reached, get_validation_summary, list_validations
from tests.catalog.database.history import History, MemorySource

DAY = 86_400_000
SCRUBS = [datetime(1970, 1, 1) + timedelta(days=days) for days in (1, 2)]


@pytest.fixture(scope="module")
def catalog() -> Iterator[Reached]:
    history = History()
    photos, logs = history.create_bucket("photos").id, history.create_bucket("logs", owner="b" * 64).id
    with open_database(None) as connection:
        catalog = Local(Path(), connection, MemorySource(history), Limits())
        catalog.sync()
        damaged = Validation("etag", "failed", key="2025/cat.jpg", version_id="null", body="blobs/ab/abcd", detail="!")
        mended = Validation("size", "repaired", key="2024/dog.jpg", upload_id="u", part=3)
        first = [Validation("present", "passed", 9, 900), Validation("etag", "passed", 8), damaged]
        second = [Validation("present", "passed", 10, 1000), Validation("etag", "passed", 10)]
        for day, bucket_id, found in (
            (1, photos, [Validation("present", "failed")]),
            (1, photos, first),  # what it said before is replaced
            (1, logs, [Validation("present", "passed", 5, 50)]),
            (2, photos, second),
            (2, None, [Validation("stray", "failed", body="blobs/cd/cdef")]),
        ):
            catalog.keep_validations(KeepValidations(day * DAY, bucket_id, found))
        catalog.keep_validations(KeepValidations(2 * DAY, photos, [mended], more=True))
        yield catalog


def test_the_newest_come_first_and_filters_hold(catalog: Reached) -> None:
    every = list_validations(catalog).items
    assert [(each.scrub, each.bucket, each.check_type, each.result, each.items) for each in every] == [
        (SCRUBS[1], "photos", "size", "repaired", 1),
        (SCRUBS[1], None, "stray", "failed", 1),
        (SCRUBS[1], "photos", "etag", "passed", 10),
        (SCRUBS[1], "photos", "present", "passed", 10),
        (SCRUBS[0], "logs", "present", "passed", 5),
        (SCRUBS[0], "photos", "etag", "failed", 1),
        (SCRUBS[0], "photos", "etag", "passed", 8),
        (SCRUBS[0], "photos", "present", "passed", 9),
    ]
    assert list_validations(catalog, bucket="logs").items == every[4:5]
    assert list_validations(catalog, prefix="2025/").items == every[5:6]
    assert list_validations(catalog, check="present", bucket="photos").items == (every[3], every[7])
    assert list_validations(catalog, result="failed").items == (every[1], every[5])
    assert list_validations(catalog, since=every[4].validation_timestamp).items[-1] in every[4:]
    assert list_validations(catalog, since=datetime(2999, 1, 1)).items == ()
    cat = every[5]
    assert (cat.key, cat.version_id, cat.body, cat.detail) == ("2025/cat.jpg", "null", "blobs/ab/abcd", "!")
    assert (every[0].upload_id, every[0].part_number) == ("u", 3)


def test_pages_go_on_where_the_last_one_ended(catalog: Reached) -> None:
    seen, after = [], None
    while True:
        page = list_validations(catalog, limit=3, after=after)
        seen += page.items
        if (after := page.next) is None:
            break
    assert tuple(seen) == list_validations(catalog).items


def test_the_summary_is_of_the_latest_scrub_of_each_bucket_and_check(catalog: Reached) -> None:
    assert [
        (each.bucket, each.check_type, each.scrub, each.passed, each.failed, each.repaired, each.bytes, each.scrubs)
        for each in get_validation_summary(catalog)
    ] == [
        ("logs", "present", SCRUBS[0], 5, 0, 0, 50, 1),
        ("photos", "present", SCRUBS[1], 10, 0, 0, 1000, 2),
        ("photos", "size", SCRUBS[1], 0, 0, 1, 0, 1),
        ("photos", "etag", SCRUBS[1], 10, 0, 0, 0, 2),
        (None, "stray", SCRUBS[1], 0, 1, 0, 0, 1),
    ]
    assert [each.check_type for each in get_validation_summary(catalog, "photos", check="size")] == ["size"]
    assert get_validation_summary(catalog, since=datetime(2999, 1, 1)) == ()


@pytest.mark.parametrize(
    "field, given",
    [
        ("bucket", {"bucket": "nowhere"}),
        ("check", {"check": "chekcsum"}),
        ("result", {"result": "sound"}),
        ("limit", {"limit": 0}),
        ("after", {"after": "!"}),
    ],
)
def test_what_means_nothing_is_refused_by_name(catalog: Reached, field: str, given: dict[str, object]) -> None:
    with pytest.raises(InvalidFilter) as refused:
        list_validations(catalog, **given)  # type: ignore[arg-type]
    assert refused.value.field == field
    if field in ("bucket", "check"):
        with pytest.raises(InvalidFilter, match=field):
            get_validation_summary(catalog, **given)  # type: ignore[arg-type]


def test_a_user_sees_those_of_its_buckets(catalog: Reached) -> None:
    for owner, rows in (("b" * 64, 1), ("c" * 64, 0)):
        assert list(catalog.sql(Sql("FROM validations", owner=owner)))[-1].rows == rows  # type: ignore[union-attr]
