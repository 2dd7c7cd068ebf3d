"""The C functions by which files are changed, and what is to be noted of a call of each."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_ssize_t, c_uint, c_void_p
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

_HERE = -100  # AT_FDCWD
_PUNCH = 2  # FALLOC_FL_PUNCH_HOLE


class Noted(msgspec.Struct):
    """An event whose files and folders are named by inodes. `new`: the inode begins another life; or a mark's done."""

    kind: str
    file: int = 0
    folder: int = 0
    name: str = ""
    offset: int = 0
    data: bytes | None = None
    source: tuple[int, str] | None = None
    new: bool = False


def _opened(file: int, *_: int) -> Path | None:
    try:
        return Path(f"/proc/self/fd/{file}").readlink()
    except OSError:
        return None


def _path(at: int, name: bytes, *_: int) -> Path:
    path = (Path() if at == _HERE else Path(f"/proc/self/fd/{at}")) / os.fsdecode(name)
    return path.parent.resolve() / path.name


def _created(at: int, name: bytes, flags: int, mode: int) -> Path | None:
    unnamed = flags & os.O_TMPFILE == os.O_TMPFILE
    return _path(at, name) if flags & (os.O_CREAT | os.O_TRUNC) and not unnamed else None


def _named(kind: str, path: Path, offset: int = 0) -> Noted:
    """The name as it is now; `offset` is 0 where the file lost its bytes."""
    return Noted(kind, path.lstat().st_ino, path.parent.stat().st_ino, path.name, offset)


def _open(done: int, at: int, name: bytes, flags: int, mode: int) -> Noted:
    return _named("file", _path(at, name), 0 if flags & os.O_TRUNC else -1)


def _rename(done: int, at: int, source: bytes, to: int, target: bytes) -> Noted:
    before = _path(at, source)
    noted = _named("renamed", _path(to, target))
    noted.source = (before.parent.stat().st_ino, before.name)
    return noted


def _unlink(done: int, at: int, name: bytes, how: int = 0) -> Noted:
    path = _path(at, name)
    return Noted("unnamed", 0, path.parent.stat().st_ino, path.name)


def _written(file: int, data: bytes, offset: int) -> Noted:
    return Noted("written", os.fstat(file).st_ino, data=data, offset=offset)


def _gathered(vector: int, size: int) -> bytes:
    """The first bytes of what an array of iovec names."""
    found = b""
    while len(found) < size:
        base, length = (ctypes.c_uint64 * 2).from_address(vector)
        found += ctypes.string_at(base, length)
        vector += 16
    return found[:size]


def _begin(file: int, size: int) -> int:
    """Where the bytes lie that were just written at the file's own position."""
    return os.lseek(file, 0, os.SEEK_CUR) - size


def _fallocate(done: int, file: int, mode: int, offset: int, length: int) -> Noted:
    about = os.fstat(file)
    if mode & _PUNCH:
        return _written(file, bytes(max(0, min(length, about.st_size - offset))), offset)
    return Noted("resized", about.st_ino, offset=about.st_size)


def _sync(done: int, file: int) -> Noted:
    return Noted("synced", os.fstat(file).st_ino)


class Call(NamedTuple):
    """Of a C function: the types of its arguments and its result, and what it did, given that and them."""

    arguments: tuple[Any, ...]
    result: Any
    noted: Callable[..., Noted | None]
    by: Callable[..., Path | None] = _opened  # what it is about, as far as that can be told


_GATHERING = (c_int, c_void_p, c_int)
CALLS = {
    "open": Call(
        (c_char_p, c_int, c_uint), c_int, lambda done, *it: _open(done, _HERE, *it), lambda *it: _created(_HERE, *it)
    ),
    "openat": Call((c_int, c_char_p, c_int, c_uint), c_int, _open, _created),
    "write": Call(
        (c_int, c_void_p, c_size_t),
        c_ssize_t,
        lambda done, file, data, _: _written(file, ctypes.string_at(data, done), _begin(file, done)),
    ),
    "writev": Call(
        _GATHERING, c_ssize_t, lambda done, file, them, _: _written(file, _gathered(them, done), _begin(file, done))
    ),
    "pwrite": Call(
        (c_int, c_void_p, c_size_t, c_int64),
        c_ssize_t,
        lambda done, file, data, _, offset: _written(file, ctypes.string_at(data, done), offset),
    ),
    "pwritev": Call(
        (*_GATHERING, c_int64),
        c_ssize_t,
        lambda done, file, them, _, offset: _written(file, _gathered(them, done), offset),
    ),
    "pwritev2": Call(
        (*_GATHERING, c_int64, c_int),
        c_ssize_t,
        lambda done, file, them, _, offset, how: _written(file, _gathered(them, done), offset),
    ),
    "ftruncate": Call(
        (c_int, c_int64), c_int, lambda done, file, size: Noted("resized", os.fstat(file).st_ino, offset=size)
    ),
    "fallocate": Call((c_int, c_int, c_int64, c_int64), c_int, _fallocate),
    "fsync": Call((c_int,), c_int, _sync),
    "fdatasync": Call((c_int,), c_int, _sync),
    "rename": Call(
        (c_char_p, c_char_p),
        c_int,
        lambda done, old, new: _rename(done, _HERE, old, _HERE, new),
        lambda old, new: _path(_HERE, new),
    ),
    "renameat": Call((c_int, c_char_p, c_int, c_char_p), c_int, _rename, lambda at, old, to, new: _path(to, new)),
    "unlink": Call((c_char_p,), c_int, lambda done, name: _unlink(done, _HERE, name), lambda name: _path(_HERE, name)),
    "remove": Call((c_char_p,), c_int, lambda done, name: _unlink(done, _HERE, name), lambda name: _path(_HERE, name)),
    "rmdir": Call((c_char_p,), c_int, lambda done, name: _unlink(done, _HERE, name), lambda name: _path(_HERE, name)),
    "unlinkat": Call((c_int, c_char_p, c_int), c_int, _unlink, _path),
    "mkdir": Call(
        (c_char_p, c_uint),
        c_int,
        lambda done, name, _: _named("folder", _path(_HERE, name)),
        lambda name, _: _path(_HERE, name),
    ),
    "mkdirat": Call(
        (c_int, c_char_p, c_uint), c_int, lambda done, at, name, _: _named("folder", _path(at, name)), _path
    ),
}
