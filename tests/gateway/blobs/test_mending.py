from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.blobs import Blobs
from gateway.blobs.mending import aside, replace, set_aside
from gateway.blobs.sums import BLOCK, Sums, new_id

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


CONTENT = os.urandom(3 * BLOCK + 100)
WITH_SUMS = new_id()


def write(blobs: Blobs, content: bytes = CONTENT) -> bytes:
    sums = Sums(WITH_SUMS)
    sums.update(content)
    blobs.path(WITH_SUMS).write_bytes(content + sums.table())
    return blobs.path(WITH_SUMS).read_bytes()


def mend(blobs: Blobs, offset: int, size: int, whole: Path | None = None) -> bool:
    return replace(blobs, WITH_SUMS, offset, size, [CONTENT[offset : offset + size]], lambda: True, whole)


@pytest.mark.parametrize("at", [5, BLOCK + 5, len(CONTENT) - 1, len(CONTENT) + 3])
def test_sums_are_right_again_with_the_bytes(blobs: Blobs, at: int) -> None:
    sound = write(blobs)
    blobs.path(WITH_SUMS).write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
    assert mend(blobs, 0, len(CONTENT))
    assert blobs.path(WITH_SUMS).read_bytes() == sound


@pytest.mark.parametrize("left", [None, 0, 1000, len(CONTENT), len(CONTENT) + 31])
def test_a_blob_that_was_cut_or_lost_is_made_anew_with_its_sums(blobs: Blobs, left: int | None) -> None:
    sound = write(blobs)
    if left is None:
        set_aside(blobs, WITH_SUMS)
    else:
        os.truncate(blobs.path(WITH_SUMS), left)
        assert not mend(blobs, BLOCK, len(CONTENT) - BLOCK)
    assert mend(blobs, 0, len(CONTENT))
    assert blobs.path(WITH_SUMS).read_bytes() == sound


def test_no_sum_is_made_of_a_block_whose_rest_nobody_has_proved(blobs: Blobs) -> None:
    sound = write(blobs)
    spoiled = bytearray(sound)
    for at in (0, BLOCK + 5, 2 * BLOCK + 200):
        spoiled[at] ^= 1
    blobs.path(WITH_SUMS).write_bytes(spoiled)
    assert mend(blobs, 100, 2 * BLOCK)
    spoiled[BLOCK + 5] ^= 1
    assert blobs.path(WITH_SUMS).read_bytes() == spoiled


def test_the_sums_come_with_the_rest_from_a_file_that_has_it_whole(blobs: Blobs, tmp_path: Path) -> None:
    sound = write(blobs)
    whole = tmp_path / "whole"
    whole.write_bytes(sound)
    os.truncate(blobs.path(WITH_SUMS), 1000)
    assert mend(blobs, 10, 100, whole)
    assert blobs.path(WITH_SUMS).read_bytes() == sound
