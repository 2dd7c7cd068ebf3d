"""What the processes of a server hold in memory: by themselves, and of the key index, which they map and share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bench.cpu import family

MAPPED = "data.mdb"
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ .*$", re.MULTILINE)
_RESIDENT = re.compile(r"^Rss: +(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Held:
    """Bytes resident, and the most that ever were: `beside` the map of the key index and `mapped`."""

    name: str
    beside: int
    mapped: int
    peak: int


def held_by(root: int) -> list[Held]:
    """A process and all below it."""
    return [_held(pid) for pid in family(root)]


def _held(pid: int) -> Held:
    process = Path(f"/proc/{pid}")
    words = (process / "cmdline").read_bytes().split(b"\0")
    name = next((word.decode() for word in words if word.startswith((b"gateway.", b"catalog."))), f"{pid}")
    other, mapped = 0, 0
    text = (process / "smaps").read_text()
    starts = [found.start() for found in _MAPPING.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        mapping = text[start:end]
        resident = _RESIDENT.search(mapping)
        size = int(resident[1]) * 1024 if resident else 0
        if mapping.partition("\n")[0].endswith(MAPPED):
            mapped += size
        else:
            other += size
    peak = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
    return Held(name, other, mapped, int(peak[1]) * 1024 if peak else 0)
