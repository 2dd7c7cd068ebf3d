from __future__ import annotations

from datetime import datetime

import pytest

from catalog.errors import InvalidFilter
from catalog.queries import Reached, VersionStats, get_version_stats


def test_a_bucket_in_numbers(catalog: Reached) -> None:
    expected = VersionStats(
        keys=5,
        objects=4,
        bytes=1000,
        noncurrent_versions=2,
        noncurrent_bytes=300,
        delete_markers=1,
        smallest=0,
        median=300,
        largest=400,
        first_modified=datetime(2025, 10, 9, 11, 53, 20),
        last_modified=datetime(2025, 10, 9, 21, 53, 20),
    )
    assert get_version_stats(catalog, "photos") == expected
    assert get_version_stats(catalog, "photos", at="latest") == expected


def test_a_bucket_as_it_was(catalog: Reached) -> None:
    then = get_version_stats(catalog, "photos", at=5)
    assert (then.keys, then.objects, then.bytes, then.noncurrent_versions, then.noncurrent_bytes) == (3, 3, 900, 1, 100)
    assert (then.delete_markers, then.smallest, then.largest) == (0, 200, 400)
    assert get_version_stats(catalog, "photos", at=datetime(2025, 10, 9, 13, 0)) == then
    nothing = get_version_stats(catalog, "photos", at=1)
    assert (nothing.objects, nothing.bytes, nothing.median, nothing.last_modified) == (0, 0, None, None)


def test_there_has_to_be_the_bucket(catalog: Reached) -> None:
    with pytest.raises(InvalidFilter, match="bucket"):
        get_version_stats(catalog, "nowhere")
