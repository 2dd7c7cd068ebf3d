"""A disk that forgets: what was written, renamed and synced, and the states that a power cut can leave of it.

Only what POSIX promises counts. A file's bytes are safe once the file is synced, a name once its folder is. Of all else
any part may be there: each sector of 512 bytes of its own, in any order, the sizes apart from the bytes. A rename is
whole or not at all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
ROOT = 0  # the file number of the folder that is watched


@dataclass(frozen=True)
class Write:
    file: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Resize:
    file: int
    size: int


@dataclass(frozen=True)
class Name:
    """A name came, in the place of another file's of that name; by a rename out of `source`, if that is given."""

    folder: int
    name: str
    file: int
    source: tuple[int, str] | None = None
    is_folder: bool = False


@dataclass(frozen=True)
class Unname:
    folder: int
    name: str


@dataclass(frozen=True)
class Sync:
    """Of a file: its bytes; of a folder: its names."""

    file: int


@dataclass(frozen=True)
class Mark:
    """What a client did (`done`: and was told that it is done): from now on `key` may have, or has, `value`."""

    key: str
    value: bytes | None
    done: bool


Event = Write | Resize | Name | Unname | Sync | Mark
Keep = Callable[[], bool]


@dataclass
class State:
    """Bytes by file, and the files by folder and name."""

    contents: dict[int, bytearray] = field(default_factory=dict)
    names: dict[int, dict[str, int]] = field(default_factory=lambda: {ROOT: {}})
    folders: set[int] = field(default_factory=lambda: {ROOT})

    def copy(self) -> State:
        contents = {file: bytearray(content) for file, content in self.contents.items()}
        return State(contents, {folder: dict(names) for folder, names in self.names.items()}, set(self.folders))

    def lay_out(self, path: Path, folder: int = ROOT) -> None:
        """Make it a real folder."""
        path.mkdir(exist_ok=True)
        for name, file in self.names.get(folder, {}).items():
            if file in self.folders:
                self.lay_out(path / name, file)
            else:
                (path / name).write_bytes(self.contents.get(file, b""))

    def write(self, event: Write | Resize, keep: Keep = lambda: True) -> None:
        content = self.contents.setdefault(event.file, bytearray())
        if isinstance(event, Resize):
            if keep():
                del content[event.size :]
                content.extend(bytes(event.size - len(content)))
            return
        end = event.offset + len(event.data)
        for start in range(event.offset // SECTOR * SECTOR, end, SECTOR):
            if keep():
                first, last = max(start, event.offset), min(start + SECTOR, end)
                if len(content) < last:
                    content.extend(bytes(last - len(content)))
                content[first:last] = event.data[first - event.offset : last - event.offset]
        if len(content) < end and keep():
            content.extend(bytes(end - len(content)))

    def name(self, event: Name | Unname) -> None:
        names = self.names.setdefault(event.folder, {})
        if isinstance(event, Unname):
            names.pop(event.name, None)
            return
        if event.source is not None:
            self.names.setdefault(event.source[0], {}).pop(event.source[1], None)
        names[event.name] = event.file
        if event.is_folder:
            self.folders.add(event.file)


class Disk:
    """The events up to a moment: what of them is safe, and what is not yet."""

    def __init__(self) -> None:
        self.safe = State()
        self.writes: dict[int, list[Write | Resize]] = {}
        self.names: list[Name | Unname] = []

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case Write() | Resize():
                    self.writes.setdefault(event.file, []).append(event)
                case Name() | Unname():
                    self.names.append(event)
                case Sync():
                    self._sync(event.file)

    def _sync(self, file: int) -> None:
        for write in self.writes.pop(file, []):
            self.safe.write(write)
        later = []
        for event in self.names:
            touched = {event.folder}
            if isinstance(event, Name) and event.source is not None:
                touched.add(event.source[0])
            if file in touched:
                self.safe.name(event)
            else:
                later.append(event)
        self.names = later

    def after_power_cut(self, chance: random.Random) -> State:
        """What is safe, and of the rest nothing, all, or any part."""
        state = self.safe.copy()
        for event in self.names:
            if _some(chance)():
                state.name(event)
        for writes in self.writes.values():
            keep = _some(chance)
            for write in writes:
                state.write(write, keep)
        return state


def _some(chance: random.Random) -> Keep:
    share = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
    return lambda: chance.random() < share
