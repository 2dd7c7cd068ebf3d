"""Power cut at any moment: whatever of the unsynced reached the disk, all that was acknowledged is there, and whole."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from conformance.crash.disk import ROOT, SECTOR, Disk, Mark, Name, Sync, Unname, Write
from conformance.crash.power import cut, work
from conformance.crash.watch import Watch

WRITES = 15
EVERY = 8


def test_nothing_is_lost_when_the_power_is_cut(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    events = asyncio.run(work(root, WRITES, seed=1))
    assert sum(isinstance(event, Mark) and event.done for event in events) > WRITES
    assert cut(events, tmp_path / "state", EVERY, seed=1) == -(-len(events) // EVERY)


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


def test_the_watch_sees_what_is_done_to_a_folder(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    with watch.watching():
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "a").write_bytes(b"content")
        (tmp_path / "folder" / "a").rename(tmp_path / "b")
        (tmp_path / "gone").touch()
        watch.note(Mark("key", None, done=True))
        (tmp_path / "gone").unlink()
        watch.note(Mark("key", None, done=True))
    disk = Disk()
    disk.take([*watch.events, Sync(ROOT)])
    assert list(disk.safe.names[ROOT]) == ["folder", "b"]
    assert any(isinstance(event, Write) and event.data == b"content" for event in watch.events)
