"""Records what this process does to a folder, by watching it at each sync. No tracer; it sees Python's syncs only."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from conformance.crash.disk import ROOT, SECTOR, Event, Name, Resize, Sync, Unname, Write


class Watch:
    """`events` in order. What lies in `ignored` folders is not recorded."""

    def __init__(self, root: Path, ignored: tuple[str, ...] = ()) -> None:
        self.root = root
        self.events: list[Event] = []
        self._ignored = ignored
        self._lock = threading.RLock()
        self._contents: dict[int, bytes] = {}
        self._names: dict[tuple[int, str], int] = {}
        self._numbers: dict[int, int] = {}  # by inode, whose numbers the file system gives out again
        self._count = ROOT

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Syncs and renames go through here, and are told apart from one another."""
        with (
            patch("os.fsync", self._syncing(os.fsync)),
            patch("os.fdatasync", self._syncing(os.fdatasync)),
            patch("os.rename", self._renaming(os.rename)),
        ):
            yield

    def note(self, event: Event) -> None:
        with self._lock:
            self._look()
            self.events.append(event)

    def _syncing(self, sync: Callable[[int], None]) -> Callable[[int], None]:
        def call(descriptor: int) -> None:
            with self._lock:
                self._look()
                sync(descriptor)
                number = self._number(os.fstat(descriptor).st_ino)
                self.events.append(Sync(number))

        return call

    def _renaming(self, rename: Callable[..., None]) -> Callable[..., None]:
        def call(source: Any, target: Any) -> None:
            with self._lock:
                self._look()
                rename(source, target)
                (folder, name), (to_folder, to_name) = self._place(source), self._place(target)
                file = self._names.pop((folder, name), None)
                if file is None:
                    return  # in a folder that is ignored
                self._names[to_folder, to_name] = file
                self.events.append(Name(to_folder, to_name, file, (folder, name)))

        return call

    def _look(self) -> None:
        """Note what came about since the last look."""
        found: dict[tuple[int, str], int] = {}
        for path, folders, files in os.walk(self.root):
            folder = self._number(Path(path).stat().st_ino)
            folders[:] = [name for name in folders if name not in self._ignored]
            for name in (*folders, *files):
                try:
                    file = found[folder, name] = self._number(Path(path, name).stat().st_ino)
                except FileNotFoundError:
                    continue
                if self._names.get((folder, name)) != file:
                    self.events.append(Name(folder, name, file, is_folder=name in folders))
                if name in files:
                    self._look_into(Path(path, name), file)
        for folder, name in set(self._names) - set(found):
            self.events.append(Unname(folder, name))
        gone = set(self._names.values()) - set(found.values())
        self._numbers = {inode: file for inode, file in self._numbers.items() if file not in gone}
        self._names = found

    def _look_into(self, path: Path, file: int) -> None:
        try:
            now = path.read_bytes()
        except FileNotFoundError:
            return
        before = self._contents.get(file, b"")
        if now == before:
            return
        if len(now) < len(before):
            self.events.append(Resize(file, len(now)))
        for start, end in changed(before, now):
            self.events.append(Write(file, start, now[start:end]))
        self._contents[file] = now

    def _number(self, inode: int) -> int:
        if inode == self.root.stat().st_ino:
            return ROOT
        if inode not in self._numbers:
            self._count += 1
            self._numbers[inode] = self._count
        return self._numbers[inode]

    def _place(self, path: Any) -> tuple[int, str]:
        place = Path(path)
        return self._number(place.parent.stat().st_ino), place.name


def changed(before: bytes, now: bytes) -> Iterator[tuple[int, int]]:
    """The stretches of sectors that differ."""
    first = None
    for start in range(0, len(now), SECTOR):
        if now[start : start + SECTOR] != before[start : start + SECTOR]:
            first = start if first is None else first
        elif first is not None:
            yield first, start
            first = None
    if first is not None:
        yield first, len(now)
