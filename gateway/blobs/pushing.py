"""What was written, on its way to the disk: bytes before anybody asks for them to be safe, and names."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

ALL = 1 | 2 | 4  # wait for what is on its way, write, wait for that
_range = ctypes.CDLL(None, use_errno=True).sync_file_range
_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def push(file: int, start: int, length: int) -> None:
    """Nothing but these bytes, neither the file's size nor the disk's own cache: `fsync` is to follow.

    Raises OSError, which `fsync` then does not raise again. https://man7.org/linux/man-pages/man2/sync_file_range.2.html
    """
    if _range(file, start, length, ALL):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def sync_names(folder: Path) -> None:
    """Those of the files in it. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
