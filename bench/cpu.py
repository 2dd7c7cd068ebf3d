"""The processor time a server has used, with its children: told apart from what else the machine is doing."""

from __future__ import annotations

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def seconds(root: int) -> float:
    """Of a process and all below it that live, and those of them that were waited for."""
    fields = {int(entry.name): _fields(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    family, found = [root], 0
    while family:
        parent = family.pop()
        family += [pid for pid, field in fields.items() if field and int(field[1]) == parent]
        if field := fields.get(parent):
            found += sum(int(ticks) for ticks in field[11:15])
    return found / TICK


def _fields(process: Path) -> list[str]:
    """What stands in its `stat` behind the name, which may have blanks; none if it has ended meanwhile."""
    try:
        return (process / "stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
