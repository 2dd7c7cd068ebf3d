"""Processor time and memory of a server with its children: told apart from what else the machine is doing."""

from __future__ import annotations

import os
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
SETTLE_SECONDS = 1.3
SETTLE_ROUNDS = 60
IDLE = 0.05  # of a core


def seconds(root: int) -> float:
    """Of a process and all below it that live, and those of them that were waited for."""
    return sum(int(ticks) for pid in family(root) for ticks in _fields(Path(f"/proc/{pid}"))[11:15]) / TICK


def family(root: int) -> list[int]:
    """A process and all below it."""
    fields = {int(entry.name): _fields(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found = [root]
    for parent in found:  # grows as it goes
        found += [pid for pid, field in fields.items() if field and int(field[1]) == parent]
    return found


def memory(root: int) -> int:
    """Bytes in memory of a process and all below it; what they share is counted once."""
    return sum(_proportional_size(Path(f"/proc/{pid}/smaps_rollup")) for pid in family(root))


def settle(root: int) -> None:
    """Waits until a server has done what it puts off (up to a second, and then for as long as it takes)."""
    used = seconds(root)
    for _ in range(SETTLE_ROUNDS):
        time.sleep(SETTLE_SECONDS)
        before, used = used, seconds(root)
        if used - before < IDLE * SETTLE_SECONDS:
            return


def _proportional_size(path: Path) -> int:
    try:
        lines = path.read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)


def _fields(process: Path) -> list[str]:
    """What stands in its `stat` behind the name, which may have blanks; none if it has ended meanwhile."""
    try:
        return (process / "stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
