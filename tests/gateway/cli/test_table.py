from __future__ import annotations

from datetime import datetime

from gateway.cli.table import table


def test_columns_are_as_wide_as_they_must_be_and_numbers_to_the_right() -> None:
    rows = [("a", 1, None), ("long name", 1000, datetime(2026, 1, 2, 3, 4, 5))]
    assert table(("name", "size", "when"), rows).splitlines() == [
        "name       size  when",
        "---------  ----  -----------------------",
        "a             1  NULL",
        "long name  1000  2026-01-02 03:04:05.000",
    ]


def test_a_table_without_rows_has_its_names() -> None:
    assert table(("a", "bb"), []).splitlines() == ["a  bb", "-  --"]


def test_a_row_stays_on_its_line() -> None:
    assert len(table(("key",), [("a\nb\x1b[31m",)]).splitlines()) == 3
