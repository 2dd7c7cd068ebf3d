from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog import NAME, filled, questions, tell
from bench.repeated import repeat
from catalog.queries import get_growth, get_storage_usage, get_version_stats


def test_a_catalog_again_and_again_holds_so_many_times_as_much(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once, thrice = tmp_path / "once", tmp_path / "thrice"
    for folder in (once, thrice):
        folder.mkdir()
    with filled(once, 1_000) as (catalog, _):
        single = get_version_stats(catalog, NAME)
        days = len(get_growth(catalog, "day", NAME, limit=10_000).items)
    repeat(once, thrice, 3)
    with filled(thrice, 3_000) as (catalog, source):
        stats = get_version_stats(catalog, NAME)
        assert (stats.objects, stats.bytes) == (3 * single.objects, 3 * single.bytes)
        assert get_storage_usage(catalog, "prefix", NAME, 2).total.objects == stats.objects
        assert len(get_growth(catalog, "day", NAME, limit=10_000).items) == days + 600
        for asked in questions(3_000, source.end().seq):
            tell(asked, 3_000, catalog, 1)
    assert "delta of 1%" in capsys.readouterr().out
