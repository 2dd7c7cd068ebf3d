"""Files put into another folder: linked where that is one file system, else copied, sharing blocks where it can."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_STEP = 64 << 20
_BLOCK = 1 << 20
_UNABLE = (errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)
_UNLINKED = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP)


def place(source: Path, target: Path) -> None:
    """The same file under another name, if there can be one: only for what is never written to again.

    A target is there whole. FileNotFoundError: the source is not there.
    """
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _UNLINKED:
            raise
        draft = target.with_name(f"{target.name}.new")
        copy(source, draft)
        draft.rename(target)


def put_in_place(draft: Path, path: Path) -> None:
    """The draft under its own name, whole and on the disk when this returns, whatever had the name before."""
    sync_path(draft)
    draft.rename(path)
    sync_path(path.parent)


def copy(source: Path, target: Path, length: int | None = None) -> None:
    """Its first bytes, or all; on the disk when this returns."""
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            left = os.fstat(reading).st_size if length is None else length
            while left and (moved := _move(reading, writing, left)):
                left -= moved
            os.fsync(writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _move(reading: int, writing: int, left: int) -> int:
    """The kernel shares blocks or copies, if it can between the two file systems."""
    try:
        return os.copy_file_range(reading, writing, min(left, _STEP))
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
    rest = block = memoryview(os.read(reading, min(left, _BLOCK)))
    while rest:
        rest = rest[os.write(writing, rest) :]
    return len(block)


def sync_path(path: Path) -> None:
    """Make durable what a file holds, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
