from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.blobs import Blobs
from gateway.blobs.mending import aside, replace, set_aside

BLOB = bytes(range(16))


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[Blobs]:
    blobs = Blobs(tmp_path)
    blobs.path(BLOB).write_bytes(b"0123456789")
    yield blobs
    assert list((tmp_path / "tmp").iterdir()) == []
    blobs.close()


def put(blobs: Blobs, offset: int, content: bytes, sound: bool = True, whole: Path | None = None) -> bool:
    return replace(blobs, BLOB, offset, len(content), [content[:1], content[1:]], lambda: sound, whole)


def test_a_stretch_is_replaced_and_the_rest_stays(blobs: Blobs) -> None:
    with blobs.path(BLOB).open("rb") as reading:
        assert put(blobs, 3, b"xyz")
        assert blobs.path(BLOB).read_bytes() == b"012xyz6789"
        assert reading.read() == b"0123456789"
    assert blobs.path(BLOB).stat().st_mode & 0o777 == 0o600


def test_what_is_not_sound_changes_nothing(blobs: Blobs) -> None:
    assert not put(blobs, 3, b"xyz", sound=False)
    assert blobs.path(BLOB).read_bytes() == b"0123456789"


def test_one_that_is_set_aside_is_not_found_until_it_is_there_whole_again(blobs: Blobs) -> None:
    set_aside(blobs, BLOB)
    assert not blobs.path(BLOB).exists() and aside(blobs, BLOB).exists()
    assert not put(blobs, 0, b"a stretch"[:5])
    assert not put(blobs, 3, b"the rest")
    assert not blobs.path(BLOB).exists() and aside(blobs, BLOB).exists()
    assert put(blobs, 0, b"ten bytes!")
    assert blobs.path(BLOB).read_bytes() == b"ten bytes!" and not aside(blobs, BLOB).exists()


def test_what_is_missing_comes_from_a_file_that_has_it_whole(blobs: Blobs, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.write_bytes(b"0123456789")
    for damaged in (b"", b"01x"):
        blobs.path(BLOB).write_bytes(damaged)
        assert put(blobs, 2, b"234", whole=whole)
        assert blobs.path(BLOB).read_bytes() == b"0123456789"


def test_no_hole_is_made(blobs: Blobs) -> None:
    blobs.path(BLOB).write_bytes(b"01")
    assert not put(blobs, 3, b"xyz")
    assert blobs.path(BLOB).read_bytes() == b"01"
