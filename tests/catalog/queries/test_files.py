from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.errors import InvalidFilter
from catalog.queries import File, FileFilter, Reached, list_files, list_versions

COW, CAT, COPY, EMPTY = "2024/old/cow.png", "2025/cat.jpg", "copy.jpg", "empty"
FORGED = urlsafe_b64encode(b'[0,"last_modified_date",false,"then","k"]').decode()
SINCE = datetime.now(UTC) - datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)  # the age of mutation 1, one an hour


def keys(catalog: Reached, **more: Any) -> list[str]:
    return [file.key for file in list_files(catalog, "photos", **more).items]


def test_a_file_as_it_is(catalog: Reached) -> None:
    (file,) = list_files(catalog, "photos", FileFilter(prefix="2024/")).items
    time = datetime(2025, 10, 9, 12, 53, 20)
    assert file == File(
        COW,
        400,
        time,
        f"{5:032x}",
        5,
        f"{5:032x}",
        "STANDARD",
        "binary/octet-stream",
        {"keep": "yes"},
        {"owner": "wanda"},
    )


@pytest.mark.parametrize(
    ("matching", "found"),
    [
        (FileFilter(), [COW, CAT, COPY, EMPTY]),
        (FileFilter(prefix="2025/"), [CAT]),
        (FileFilter(prefix="%"), []),
        (FileFilter(glob="*.jpg"), [CAT, COPY]),
        (FileFilter(glob="20?5/*"), [CAT]),
        (FileFilter(glob="[c]*"), []),
        (FileFilter(glob="20__/*"), []),
        (FileFilter(tags={"keep": "yes"}), [COW]),
        (FileFilter(tags={"keep": "no"}), []),
        (FileFilter(tags={"size": None}), [CAT, COPY, EMPTY]),
        (FileFilter(tags={"size": "300"}, glob="c*"), [COPY]),
        (FileFilter(metadata={"owner": "wanda"}, max_size=0), [EMPTY]),
        (FileFilter(metadata={"Owner": "wanda"}, max_size=0), [EMPTY]),
        (FileFilter(metadata={"owner": "x' OR true --"}), []),
        (FileFilter(min_size=300, max_size=400), [COW, CAT, COPY]),
        (FileFilter(min_size=301), [COW]),
        (FileFilter(min_age=SINCE - timedelta(hours=4, minutes=30)), [COW, CAT]),
        (FileFilter(max_age=SINCE - timedelta(hours=4, minutes=30)), [COPY, EMPTY]),
        (FileFilter(content_type="binary/*"), [COW, CAT, COPY, EMPTY]),
        (FileFilter(content_type="image/*"), []),
        (FileFilter(storage_class="STANDARD", prefix="c"), [COPY]),
        (FileFilter(storage_class="GLACIER"), []),
    ],
)
def test_a_filter_finds_what_fits_it(catalog: Reached, matching: FileFilter, found: list[str]) -> None:
    assert keys(catalog, matching=matching) == found


def test_files_are_sorted_as_asked(catalog: Reached) -> None:
    assert keys(catalog, sort="size") == [EMPTY, CAT, COPY, COW]
    assert keys(catalog, sort="size", descending=True) == [COW, CAT, COPY, EMPTY]
    assert keys(catalog, sort="last_modified_date", descending=True) == [EMPTY, COPY, COW, CAT]
    assert keys(catalog, descending=True) == [EMPTY, COPY, CAT, COW]


@pytest.mark.parametrize("sort", ["key", "size", "last_modified_date"])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("at", [None, 14])
def test_pages_together_are_the_list(catalog: Reached, sort: str, descending: bool, at: int | None) -> None:
    order = {"sort": sort, "descending": descending, "at": at}
    found: list[str] = []
    after, pages = None, 0
    while pages == 0 or after is not None:
        page = list_files(catalog, "photos", limit=1, after=after, **order)
        found += [file.key for file in page.items]
        after, pages = page.next, pages + 1
    assert found == keys(catalog, **order) and pages == 4


def test_files_as_they_were(catalog: Reached) -> None:
    assert keys(catalog, at=5) == [COW, CAT, "2025/dog.jpg"]
    assert keys(catalog, at=1) == keys(catalog, at=0) == []
    assert keys(catalog, at=datetime(2025, 10, 9, 11, 0)) == [CAT, "2025/dog.jpg"]
    (cow,) = list_files(catalog, "photos", FileFilter(prefix="2024/"), at=6).items
    assert cow.object_tags == {"size": "400"} and cow.content_type is None


def test_versions_from_the_newest_on(catalog: Reached) -> None:
    found = list_versions(catalog, "photos", FileFilter(prefix="2025/"))
    assert [(each.key, each.seq, each.is_latest, each.is_delete_marker, each.size) for each in found.items] == [
        (CAT, 4, True, False, 300),
        (CAT, 2, False, False, 100),
        ("2025/dog.jpg", 6, True, True, None),
        ("2025/dog.jpg", 3, False, False, 200),
    ]
    seqs, after = [], None
    for _ in range(4):
        page = list_versions(catalog, "photos", FileFilter(prefix="2025/"), limit=1, after=after)
        after = page.next
        seqs += [each.seq for each in page.items]
    assert seqs == [4, 2, 6, 3] and after is None


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("bucket", {"bucket": "nowhere"}),
        ("sort", {"sort": "colour"}),
        ("limit", {"limit": 0}),
        ("limit", {"limit": 100_001}),
        ("after", {"after": "nonsense"}),
        ("after", {"after": "WzEsMl0="}),
        ("at", {"at": -1}),
        ("at", {"at": 15}),
        ("at", {"at": "yesterday"}),
        ("min_size", {"matching": FileFilter(min_size=-1)}),
        ("min_size", {"matching": FileFilter(min_size=2, max_size=1)}),
        ("max_size", {"matching": FileFilter(max_size=2**63)}),
        ("min_age", {"matching": FileFilter(min_age=timedelta(seconds=-1))}),
        ("min_age", {"matching": FileFilter(min_age=timedelta(2), max_age=timedelta(1))}),
        ("min_age", {"matching": FileFilter(min_age=timedelta.max)}),
        ("max_age", {"matching": FileFilter(max_age=timedelta.max)}),
        ("tags", {"matching": FileFilter(tags={"": "yes"})}),
        ("tags", {"matching": FileFilter(tags={"keep": "\udcff"})}),
        ("metadata", {"matching": FileFilter(metadata={"": None})}),
        ("metadata", {"matching": FileFilter(metadata={"\udcff": None})}),
        ("prefix", {"matching": FileFilter(prefix="\udcff")}),
        ("at", {"at": "\udcff"}),
        ("after", {"sort": "last_modified_date", "after": FORGED}),
        ("glob", {"matching": FileFilter(glob="")}),
        ("content_type", {"matching": FileFilter(content_type="a"), "at": 1}),
        ("storage_class", {"matching": FileFilter(storage_class="")}),
    ],
)
def test_what_means_nothing_is_refused_by_its_name(catalog: Reached, field: str, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidFilter) as refused:
        list_files(catalog, **{"bucket": "photos"} | asked)
    assert refused.value.field == field
    assert refused.value.why.startswith(f"{field}: ")


def test_the_next_page_of_another_list_is_refused(catalog: Reached) -> None:
    page = list_files(catalog, "photos", limit=1)
    for other in ({"descending": True}, {"sort": "last_modified_date"}, {"at": 10}):
        with pytest.raises(InvalidFilter, match="after"):
            list_files(catalog, "photos", after=page.next, **other)


def test_a_page_takes_two_statements_however_long_it_is(catalog: Reached, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = catalog.sql
    monkeypatch.setattr(catalog, "sql", lambda sql: (asked.append(sql.statement), ask(sql))[1])
    assert len(list_files(catalog, "photos").items) == 4
    assert len(asked) == 2
