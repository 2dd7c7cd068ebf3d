"""Rows hold what a listing shows, and the mark of a key tells what it may have in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.index.keys import escape
from catalog.records import Checksum, Version
from catalog.rows import ODD, PLAIN, TEXT, Page, parted, row_of

VERSION = Version(7, "null", 1_795_255_200_999, "e" * 32, 4096, "STANDARD", "root")


def test_a_row_has_the_columns_of_a_version() -> None:
    assert row_of(b"a", VERSION) == b"\xf52026-11-21T10:00:00\xf8" + b"e" * 32 + b"\xf94096\xff"


def test_a_row_has_the_checksum_between_etag_and_size() -> None:
    checked = Version(7, "null", 0, "e", 1, "GLACIER", "root", Checksum("CRC32", "AAAA", "COMPOSITE"))
    assert row_of(b"a", checked) == b"\xf51970-01-01T00:00:00\xf8e\xfaCRC32\xfbCOMPOSITE\xfc1\xfdGLACIER\xfe"


def test_a_delete_marker_has_a_time_only() -> None:
    assert row_of(b"a", Version(7, "null", 0, "", 0, "STANDARD", "root", delete_marker=True)) == (
        b"\xf51970-01-01T00:00:00\xc0"
    )


@pytest.mark.parametrize(
    ("key", "mark"),
    [
        ("a/B-1_.*", PLAIN),
        ("day=1", TEXT),
        ("a b", TEXT),
        ("~'", TEXT),
        ("é\U0010ffff\ufffd", TEXT),
        *((f"a{character}", ODD) for character in '"&<>\0\x01\t\n\r\x1f\ufffe\uffff'),
    ],
)
def test_the_mark_says_how_plain_a_key_is(key: str, mark: bytes) -> None:
    assert row_of(key.encode(), VERSION)[:1] == mark


@given(st.lists(st.text(min_size=1)))
def test_no_key_holds_a_mark(keys: list[str]) -> None:
    rows = [escape(key) + row_of(key.encode(), VERSION) for key in keys]
    assert [parted(row) for row in rows] == [(key, row_of(key.encode(), VERSION)) for key in keys]
    assert Page(rows).keys == keys
