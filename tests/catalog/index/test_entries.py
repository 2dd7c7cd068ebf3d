from __future__ import annotations

import msgspec

from catalog.index.entries import named, row_of, to_entry, version_of
from catalog.records import Checksum, Piece, Version
from catalog.rows import row_of as made_row

CHECKSUM = Checksum("XXHASH128", "A" * 24, "COMPOSITE")
VERSION = Version(7, "null", 1000, "e" * 38, 5 << 40, "INTELLIGENT_TIERING", "f" * 64, CHECKSUM, body=Piece(9))


def test_an_entry_gives_back_the_version_and_its_row() -> None:
    entry = to_entry(b"key", VERSION)
    assert version_of(entry) == VERSION
    assert (named(entry).seq, named(entry).version_id) == (7, "null")
    assert row_of(entry) == made_row(b"key", VERSION)


def test_an_encoded_version_is_taken_as_it_is() -> None:
    encoded = msgspec.msgpack.encode(VERSION)
    assert to_entry(b"key", VERSION, encoded) == to_entry(b"key", VERSION)
