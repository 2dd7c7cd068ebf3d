"""Files that go: their room is given back to the file system a little at a time.

A file system that is mounted with `discard` tells the disk what came free when its journal commits, and as long as the
disk takes that in, every sync waits.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from catalog.priority import give_way

STEP = 2 << 20  # bytes; a file of no more goes as it is
REST = 3  # times as long as a step took
NICENESS = 15
MOST = 64  # files that are held back, each with a descriptor
_SCARCE = 8  # where less than this part of the file system is free, nothing is held back


class Freeing:
    """Of one process: what it holds back comes free when it ends."""

    def __init__(self) -> None:
        self._files: SimpleQueue[int] = SimpleQueue()
        self._beginning = threading.Lock()
        self._thread: threading.Thread | None = None

    def remove(self, path: Path, cut: bool = False) -> None:
        """The name is gone when this returns, if it was there; whoever has opened the file can go on reading it.

        To be `cut` is for files whose readers can do with finding them shorter than they were, or empty.
        """
        with suppress(FileNotFoundError):
            file = self._open(path) if path.stat().st_size > STEP else None
            path.unlink()
            if file is not None:
                self._let_go(file, cut)

    def _open(self, path: Path) -> int | None:
        try:
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except PermissionError:
            return None

    def _let_go(self, file: int, cut: bool) -> None:
        if os.fstat(file).st_nlink or self._files.qsize() >= MOST or not (cut or _is_ours_alone(file)):
            os.close(file)
            return
        self._files.put(file)
        with self._beginning:
            if self._thread is None:
                self._thread = threading.Thread(target=self._give_back, name="freeing", daemon=True)
                self._thread.start()

    def _give_back(self) -> None:
        give_way(NICENESS)
        while True:
            file = self._files.get()
            try:
                shorten(file)
            except OSError:
                pass  # it goes at once
            finally:
                os.close(file)


def shorten(file: int) -> None:
    """Until nothing is left of it, or room is scarce."""
    left = os.fstat(file).st_size
    while left > STEP and not _is_scarce(file):
        began = time.monotonic()
        left -= STEP
        os.ftruncate(file, left)
        os.fsync(file)  # so that the journal commits, and the disk is told of this step alone
        time.sleep(REST * (time.monotonic() - began))


def _is_scarce(file: int) -> bool:
    room = os.fstatvfs(file)
    return room.f_bavail * _SCARCE < room.f_blocks


def _is_ours_alone(file: int) -> bool:
    """Whether nobody else has it open: that is when the kernel grants a lease for writing.

    https://man7.org/linux/man-pages/man2/F_GETLEASE.2const.html
    """
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError:
        return False
    return True
