"""Bytes of a file sent on to the disk before anybody asks for them to be safe."""

from __future__ import annotations

import ctypes
import os

ALL = 1 | 2 | 4  # wait for what is on its way, write, wait for that
_range = ctypes.CDLL(None, use_errno=True).sync_file_range
_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def push(file: int, start: int, length: int) -> None:
    """Nothing but these bytes, neither the file's size nor the disk's own cache: `fsync` is to follow.

    Raises OSError, which `fsync` then does not raise again. https://man7.org/linux/man-pages/man2/sync_file_range.2.html
    """
    if _range(file, start, length, ALL):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
