"""C functions of this process replaced by Python's, in whatever libraries call them: Python itself, LMDB, DuckDB.

Each loaded library has a table of the addresses of the functions it calls of others (its global offset table). There
the address of ours is put. Neither a tracer nor a compiler is needed for that, nor any right that tests may not have.
https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
"""

from __future__ import annotations

import atexit
import ctypes
import mmap
import struct
from collections.abc import Iterator, Mapping
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)
_DYNAMIC = 2  # the kind of a segment
_HEADER, _ENTRY, _RELOCATION, _SYMBOL = (struct.Struct(each) for each in ("<IIQQQQQQ", "<QQ", "<QQq", "<IBBHQQ"))
_STRINGS, _SYMBOLS, _PLAIN, _PLAIN_SIZE, _CALLS, _CALLS_SIZE = 5, 6, 7, 8, 23, 2
_SLOTS = {6, 7, 1025, 1026}  # relocations of addresses of functions, of x86-64 and ARM64
_NOT_OURS = ("libc.so", "ld-linux", "linux-vdso", "libffi")
_INSTALLED: list[Mapping[str, Any]] = []  # C holds no references
_WRITABLE = mmap.PROT_READ | mmap.PROT_WRITE


class _Object(ctypes.Structure):
    """The beginning of glibc's dl_phdr_info."""

    _fields_ = (
        ("base", ctypes.c_uint64),
        ("name", ctypes.c_char_p),
        ("headers", ctypes.c_uint64),
        ("count", ctypes.c_uint16),
    )


def install(functions: Mapping[str, Any]) -> None:
    """Functions of ctypes by the names of those they replace, until Python ends. A library loaded later is not seen."""
    _INSTALLED.append(functions)
    changed = []
    for base, headers, count in _objects():
        for slot, name in _slots(base, headers, count):
            if name in functions:
                changed.append((slot, _exchange(slot, ctypes.cast(functions[name], ctypes.c_void_p).value or 0)))

    @atexit.register
    def restore() -> None:
        for slot, address in changed:
            _exchange(slot, address)


def _objects() -> list[tuple[int, int, int]]:
    found = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Object), ctypes.c_size_t, ctypes.c_void_p)
    def take(given: Any, size: int, data: object) -> int:
        one = given.contents
        if not any(name in (one.name or b"").decode() for name in _NOT_OURS):
            found.append((one.base, one.headers, one.count))
        return 0

    _LIBC.dl_iterate_phdr(take, None)
    return found


def _slots(base: int, headers: int, count: int) -> Iterator[tuple[int, str]]:
    """Where an object keeps the address of each function it calls, and that function's name."""
    tags: dict[int, int] = {}
    for kind, _, _, address, *_, size, _ in _all(_HEADER, headers, count * _HEADER.size):
        if kind == _DYNAMIC:
            tags = dict(_all(_ENTRY, base + address, size))
    for place, length in ((_PLAIN, _PLAIN_SIZE), (_CALLS, _CALLS_SIZE)):
        for offset, info, _ in _all(_RELOCATION, tags.get(place, 0), tags.get(length, 0)):
            if info & 0xFFFFFFFF in _SLOTS:
                symbol = tags[_SYMBOLS] + (info >> 32) * _SYMBOL.size
                text = tags[_STRINGS] + _SYMBOL.unpack(ctypes.string_at(symbol, _SYMBOL.size))[0]
                yield base + offset, ctypes.string_at(text).decode()


def _all(form: struct.Struct, address: int, size: int) -> Iterator[tuple[Any, ...]]:
    yield from form.iter_unpack(ctypes.string_at(address, size)) if size else ()


def _exchange(slot: int, address: int) -> int:
    """The table may be closed to writing once the library is loaded."""
    page = slot // mmap.PAGESIZE * mmap.PAGESIZE
    if _LIBC.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(mmap.PAGESIZE), _WRITABLE):
        raise OSError(ctypes.get_errno(), "mprotect")
    held = ctypes.c_uint64.from_address(slot)
    before = held.value
    held.value = address
    return before
