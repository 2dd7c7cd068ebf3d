"""What a query may take."""

from __future__ import annotations

import os

import msgspec

QUERIES = 4  # run at a time; further ones wait


class Limits(msgspec.Struct, frozen=True):
    """`seconds` are of each query, `rows` of its result (0: any number).

    `memory` in MiB (0: a quarter of the machine's, 4 GiB at most) and `threads` (0: one a core, eight at most) are
    for all queries. What one sorts, joins and groups beyond its share of the memory goes to the disk.
    """

    seconds: float = 300.0
    rows: int = 0
    memory: int = 0
    threads: int = 0

    def memory_in_all(self) -> int:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        return self.memory or max(256, min(4096, machine // 4))

    def buffers(self) -> int:
        """MiB that DuckDB counts; the rest of the memory is for what it does not: lists of keys, results, indexes."""
        return max(1, self.memory_in_all() * 3 // 4)

    def buffers_of_one(self) -> int:
        return max(1, self.buffers() // QUERIES)

    def threads_in_all(self) -> int:
        return self.threads or max(1, min(8, len(os.sched_getaffinity(0))))


def dump(limits: Limits) -> str:
    return msgspec.json.encode(limits).decode()


def undump(text: str) -> Limits:
    return msgspec.json.decode(text, type=Limits)
