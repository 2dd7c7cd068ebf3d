"""Records what the processes of a server do to a folder: every write, name and sync of them, in one order for all.

Each is done and noted under a lock that all processes share, so that a sync covers just what is noted before it. What
is written through a map of the memory is not seen: only LMDB does that, to a file that means nothing after a power cut.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from conformance.crash import hooks
from conformance.crash.calls import CALLS, Call, Noted
from conformance.crash.disk import ROOT, Event, Mark, Name, Resize, Sync, Unname, Write

VARIABLE = "CRASH_RECORD"
LIBRARIES = ("lmdb", "_duckdb")  # loaded first, so that what they do is seen, too
LIBC = "libc.so.6"  # by name, for Python itself may have entries of those names, which lead to what takes their place
_LENGTH = 8


class Recorder:
    """Of what happens below `root`, into the file `path`."""

    def __init__(self, root: Path, path: Path) -> None:
        self._root = root.resolve()
        self._out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._lock = threading.RLock()

    @classmethod
    def arm_if_given(cls) -> None:
        """Record this process, if it is one of a server that is to be."""
        given = os.environ.get(VARIABLE)
        if given:
            for library in LIBRARIES:
                importlib.import_module(library)
            root, path = given.split(os.pathsep)
            cls(Path(root), Path(path)).arm()

    def arm(self) -> None:
        """From now on, until the process ends."""
        libc, functions = ctypes.CDLL(LIBC, use_errno=True), dict[str, Any]()
        for name, call in CALLS.items():
            real = getattr(libc, name)
            real.argtypes, real.restype = call.arguments, call.result
            made = ctypes.CFUNCTYPE(call.result, *call.arguments, use_errno=True)(self._taking(real, call))
            functions |= dict.fromkeys((name, f"{name}64", name.replace("v2", "v64v2")), made)
        hooks.install(functions)

    def mark(self, mark: Mark) -> None:
        with self._alone():
            self._note(Noted("mark", name=mark.key, data=mark.value, new=mark.done))

    def _taking(self, real: Any, call: Call) -> Callable[..., int]:
        def take(*given: Any) -> int:
            path = call.by(*given)
            if path is None or not path.is_relative_to(self._root):
                return int(real(*given))
            with self._alone():
                there = path.exists()
                done = int(real(*given))
                problem = ctypes.get_errno()
                if done >= 0 and (noted := call.noted(done, *given)) is not None:
                    noted.new = not there
                    self._note(noted)
                ctypes.set_errno(problem)
                return done

        return take

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._lock:
            fcntl.flock(self._out, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._out, fcntl.LOCK_UN)

    def _note(self, noted: Noted) -> None:
        body = msgspec.msgpack.encode(noted)
        frame = len(body).to_bytes(_LENGTH, "big") + body
        assert os.write(self._out, frame) == len(frame)


def recorded(root: Path, path: Path) -> list[Event]:
    """What was recorded, files and folders by numbers of which each stands for one file for good."""
    content, at = path.read_bytes(), 0
    numbers, events = {root.stat().st_ino: ROOT}, list[Event]()
    while at < len(content):
        stop = at + _LENGTH + int.from_bytes(content[at : at + _LENGTH], "big")
        noted = msgspec.msgpack.decode(content[at + _LENGTH : stop], type=Noted)
        if noted.kind in ("file", "folder") and noted.new:
            numbers[noted.file] = len(events) + 1
        events += _event(noted, lambda inode: numbers.setdefault(inode, -inode))
        at = stop
    return events


def _event(noted: Noted, number: Callable[[int], int]) -> Iterator[Event]:
    match noted.kind:
        case "mark":
            yield Mark(noted.name, noted.data, noted.new)
        case "file" | "folder" if noted.new:
            yield Name(number(noted.folder), noted.name, number(noted.file), is_folder=noted.kind == "folder")
        case "file" if noted.offset == 0:
            yield Resize(number(noted.file), 0)
        case "renamed" if noted.source is not None:
            source = number(noted.source[0]), noted.source[1]
            yield Name(number(noted.folder), noted.name, number(noted.file), source)
        case "unnamed":
            yield Unname(number(noted.folder), noted.name)
        case "written":
            yield Write(number(noted.file), noted.offset, noted.data or b"")
        case "resized":
            yield Resize(number(noted.file), noted.offset)
        case "synced":
            yield Sync(number(noted.file))
