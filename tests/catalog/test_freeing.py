from __future__ import annotations

import os
import time
from pathlib import Path
from queue import SimpleQueue

import pytest

from catalog import freeing
from catalog.freeing import STEP, Freeing, shorten

CONTENT = os.urandom(2 * STEP + 5)


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    """However full the disk of the machine is."""
    monkeypatch.setattr(freeing, "_SCARCE", 1 << 60)


@pytest.fixture
def shortened(monkeypatch: pytest.MonkeyPatch) -> SimpleQueue[bytes]:
    """The first byte of each file that is about to be shortened, instead."""
    met: SimpleQueue[bytes] = SimpleQueue()
    monkeypatch.setattr(freeing, "shorten", lambda file: met.put(os.pread(file, 1, 0)))
    return met


def made(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(name.encode() + CONTENT)
    return path


def test_a_removed_file_is_cut_step_by_step(tmp_path: Path) -> None:
    path = made(tmp_path, "a")
    with path.open("rb") as reader:
        Freeing().remove(path, cut=True)
        assert not path.exists()
        while (size := os.fstat(reader.fileno()).st_size) > STEP:
            assert size in (1 + len(CONTENT), 1 + len(CONTENT) - STEP)
            time.sleep(0.001)
        assert size == 1 + len(CONTENT) - 2 * STEP


def test_who_has_a_file_open_keeps_all_of_it(tmp_path: Path, shortened: SimpleQueue[bytes]) -> None:
    given, (read, alone) = Freeing(), (made(tmp_path, name) for name in "ra")
    with read.open("rb") as reader:
        given.remove(read)
        given.remove(alone)
        assert shortened.get() == b"a"
        assert not read.exists()
        assert reader.read() == b"r" + CONTENT


def test_a_file_with_another_name_keeps_all_of_it(tmp_path: Path, shortened: SimpleQueue[bytes]) -> None:
    given, (linked, alone) = Freeing(), (made(tmp_path, name) for name in "la")
    (tmp_path / "backup").hardlink_to(linked)
    given.remove(linked, cut=True)
    given.remove(alone)
    assert shortened.get() == b"a"
    assert not linked.exists()
    assert (tmp_path / "backup").read_bytes() == b"l" + CONTENT


def test_of_many_at_once_the_later_ones_go_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    met, going = SimpleQueue[bytes](), SimpleQueue[None]()

    def shorten_slowly(file: int) -> None:
        met.put(os.pread(file, 1, 0))
        going.get()

    monkeypatch.setattr(freeing, "shorten", shorten_slowly)
    monkeypatch.setattr(freeing, "MOST", 1)
    given = Freeing()
    given.remove(made(tmp_path, "1"))
    assert met.get() == b"1"
    for name in "234":
        given.remove(made(tmp_path, name))
    assert list(tmp_path.iterdir()) == []
    going.put(None)
    assert met.get() == b"2"
    given.remove(made(tmp_path, "5"))
    going.put(None)
    assert met.get() == b"5"
    going.put(None)


def test_small_files_go_as_they_are_and_missing_ones_are_passed_over(
    tmp_path: Path, shortened: SimpleQueue[bytes]
) -> None:
    given, small, alone = Freeing(), tmp_path / "small", made(tmp_path, "a")
    small.write_bytes(bytes(STEP))
    for path in (small, tmp_path / "missing", alone):
        given.remove(path)
    assert shortened.get() == b"a"
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_held_back_where_room_is_scarce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freeing, "_SCARCE", 1)  # unless all of the file system is free
    with made(tmp_path, "a").open("rb+") as file:
        shorten(file.fileno())
        assert os.fstat(file.fileno()).st_size == 1 + len(CONTENT)
