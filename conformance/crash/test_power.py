"""Power cut at any moment: whatever of the unsynced reached the disk, all that was acknowledged is there, and whole."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from conformance.crash.disk import ROOT, SECTOR, Disk, Event, Mark, Name, Resize, State, Sync, Unname, Write
from conformance.crash.power import Check, cut, open_it, serve_it, work

WRITES = 15


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("power")


@pytest.fixture(scope="module")
def events(place: Path) -> list[Event]:
    return work(place, WRITES, seed=1)


@pytest.mark.parametrize(("check", "every"), [(open_it, 40), (serve_it, 400)])
def test_nothing_is_lost_when_the_power_is_cut(events: list[Event], tmp_path: Path, check: Check, every: int) -> None:
    assert sum(isinstance(event, Mark) and event.done for event in events) > WRITES
    assert cut(events, tmp_path / "state", every, 1, check) == -(-len(events) // every)


def test_what_is_recorded_is_what_is_there(events: list[Event], place: Path, tmp_path: Path) -> None:
    """No byte and no name that any process wrote is missing, but for what LMDB maps into memory."""
    state = State()
    for event in events:
        if isinstance(event, Write | Resize):
            state.write(event)
        elif isinstance(event, Name | Unname):
            state.name(event)
    state.lay_out(tmp_path / "state")
    assert contents(tmp_path / "state") == contents(place / "data")


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock.mdb"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_server_that_synced_nothing_would_be_found_out(events: list[Event], tmp_path: Path) -> None:
    unsynced = [event for event in events if not isinstance(event, Sync)]
    with pytest.raises(AssertionError, match="events"):
        cut(unsynced, tmp_path / "state", 40, 1, open_it)


def test_a_disk_may_forget_what_was_not_synced() -> None:
    disk = Disk()
    disk.take([Name(ROOT, "a", 1), Write(1, 0, b"x" * SECTOR * 3), Sync(ROOT)])
    found = {bytes(disk.after_power_cut(random.Random(seed)).contents.get(1, b"")) for seed in range(50)}
    assert {b"", b"x" * SECTOR * 3} < found
    assert any(0 < content.count(b"x") < SECTOR * 3 for content in found)


def test_a_disk_keeps_what_was_synced() -> None:
    disk = Disk()
    disk.take([Name(ROOT, "a", 1), Write(1, 0, b"safe"), Sync(1), Sync(ROOT), Write(1, 0, b"lost"), Unname(ROOT, "a")])
    for seed in range(20):
        state = disk.after_power_cut(random.Random(seed))
        assert state.names[ROOT] in ({"a": 1}, {})
        assert bytes(state.contents[1]) in (b"safe", b"lost")


def test_a_name_is_safe_only_when_its_folder_is_synced() -> None:
    disk = Disk()
    disk.take([Name(ROOT, "a", 1), Write(1, 0, b"x"), Sync(1)])
    assert {len(disk.after_power_cut(random.Random(seed)).names[ROOT]) for seed in range(20)} == {0, 1}


def test_a_rename_is_whole() -> None:
    disk = Disk()
    disk.take([Name(ROOT, "old", 1), Sync(ROOT), Name(ROOT, "new", 1, (ROOT, "old"))])
    for seed in range(20):
        assert disk.after_power_cut(random.Random(seed)).names[ROOT] in ({"old": 1}, {"new": 1})
