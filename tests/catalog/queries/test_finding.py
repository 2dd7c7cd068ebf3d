from __future__ import annotations

import pytest

from catalog.errors import InvalidFilter
from catalog.queries import Duplicate, Reached, find_by_artifact_id, find_duplicates

SHARED = f"{4:032x}"  # the ETag of 4 and 10, and the version id of 4


def found(catalog: Reached, wanted: str) -> list[tuple[str, str, int]]:
    return [(each.found_by, each.key, each.seq) for each in find_by_artifact_id(catalog, wanted).items]


def test_by_etag_version_id_or_checksum(catalog: Reached) -> None:
    both = [("e_tag", "2025/cat.jpg", 4), ("e_tag", "copy.jpg", 10)]
    assert found(catalog, SHARED) == found(catalog, f'"{SHARED}"') == both
    assert found(catalog, f"{6:032x}") == [("version_id", "2025/dog.jpg", 6)]
    assert [seq for by, _, seq in found(catalog, "x") if by == "checksum"] == [2, 3, 4, 5, 9, 10, 14]
    assert found(catalog, "unheard-of") == []


def test_by_the_body_of_a_version_or_of_a_part_under_way(catalog: Reached) -> None:
    for name in ("blobs/00/" + f"{12:032x}", f"{12:032x}", f'"{12:032x}"'):
        (part,) = find_by_artifact_id(catalog, name).items
        assert (part.found_by, part.key, part.version_id, part.size) == ("body", "2025/film.mov", None, 7)
        assert (part.upload_id, part.part_number) == (f"{11:032x}", 1)
    for place in ("log/0000000000000001.log:5", "/data/log/0000000000000001.log:5", "0000000000000001.log:5"):
        assert found(catalog, place) == [("body", "2024/old/cow.png", 5)]
    assert found(catalog, "0000000000000001.log:6") == found(catalog, "0000000000000002.log:5") == []


def test_what_is_found_comes_in_pages(catalog: Reached) -> None:
    first = find_by_artifact_id(catalog, SHARED, limit=1)
    second = find_by_artifact_id(catalog, SHARED, limit=1, after=first.next)
    assert [each.seq for each in (*first.items, *second.items)] == [4, 10] and second.next is None


@pytest.mark.parametrize("wanted", ["", "null", '""', "\udcff"])
def test_what_identifies_nothing_is_refused(catalog: Reached, wanted: str) -> None:
    with pytest.raises(InvalidFilter, match="artifact_id"):
        find_by_artifact_id(catalog, wanted)


def test_what_is_held_twice(catalog: Reached) -> None:
    assert find_duplicates(catalog, "photos").items == (Duplicate(SHARED, 300, 2, 300, ["2025/cat.jpg", "copy.jpg"]),)
    assert find_duplicates(catalog, "logs").items == ()
    with pytest.raises(InvalidFilter, match="bucket"):
        find_duplicates(catalog, "nowhere")
