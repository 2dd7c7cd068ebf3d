"""What the key index and the commit log take, and how much of it is of use."""

from __future__ import annotations

import ctypes
import mmap
import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from catalog.compaction import SPARSE
from catalog.errors import CatalogUnusable
from catalog.holders import body_of
from catalog.index import Index
from catalog.log import FRAME, Log

SAMPLE = 200  # records

_libc = ctypes.CDLL(None, use_errno=True)
_PAGE = os.sysconf("SC_PAGE_SIZE")
_META_PAGES = 2  # of LMDB


@dataclass(frozen=True)
class IndexMeasures:
    """`pages` are of the file, `free` those of them to be used again; `depth` is that of current objects' tree."""

    entries: int
    depth: int
    pages: int
    free: int
    bytes: int
    bytes_in_memory: int


@dataclass(frozen=True)
class LogMeasures:
    """`bytes` are of the segments. Those are `sparse` that are full and applied, and of which less than half lives.

    The living are counted as often as they are named: copies share them.
    """

    segments: int
    bytes: int
    living_bodies: int
    living_bytes: int
    sparse: int


def measure_index(index: Index) -> IndexMeasures:
    with index.read() as txn:
        tables = [txn.stat(getattr(index, name)) for name in index.TABLES]
        main = index.env.stat()
        depth = txn.stat(index.objects)["depth"]
    used = sum(table[kind] for table in (main, *tables) for kind in ("branch_pages", "leaf_pages", "overflow_pages"))
    pages = index.env.info()["last_pgno"] + 1
    size = pages * main["psize"]
    return IndexMeasures(
        entries=sum(table["entries"] for table in tables),
        depth=depth,
        pages=pages,
        free=max(pages - used - _META_PAGES, 0),
        bytes=size,
        bytes_in_memory=in_memory(index.directory / "data.mdb"),
    )


def measure_log(index: Index, log: Log, applied: int) -> LogMeasures:
    """`applied` is the segment up to which the database has applied the log."""
    with index.read() as txn:
        end = index.end(txn).segment
        living = {segment: index.living(txn, segment) for segment in log.segments() if segment <= end}
    full = [segment for segment in living if segment < min(end, applied)]
    return LogMeasures(
        segments=len(living),
        bytes=sum(map(log.size_of, living)),
        living_bodies=sum(count for count, _ in living.values()),
        living_bytes=sum(size for _, size in living.values()),
        sparse=sum(_is_sparse(log, segment, *living[segment]) for segment in full),
    )


def _is_sparse(log: Log, segment: int, count: int, size: int) -> bool:
    """As compaction sees it; what a record takes beside its body is known by the first of the segment."""
    most = SPARSE * log.size_of(segment)
    if not count or size + count * FRAME.size >= most:
        return False
    try:
        sample = [
            taken - body.size
            for record, start, taken in islice(log.records_of(segment), SAMPLE)
            if (body := body_of(record.mutation)) and (body.segment, body.offset) == (segment, start + FRAME.size)
        ]
    except (CatalogUnusable, FileNotFoundError):  # damaged, or gone meanwhile
        return False
    return not sample or size + count * sum(sample) / len(sample) < most


def in_memory(path: Path) -> int:
    """How many bytes of a file the machine's page cache holds.

    https://man7.org/linux/man-pages/man2/mincore.2.html
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            return 0
        # A private mapping, writable in name: else its address cannot be had.
        with mmap.mmap(file.fileno(), size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE) as mapped:
            held = (ctypes.c_ubyte * -(-size // _PAGE))()
            start = ctypes.c_char.from_buffer(mapped)
            failed = _libc.mincore(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(size), held)
            del start
    return 0 if failed else min(bytes(held).count(1) * _PAGE, size)
