"""What carrying out lifecycle rules came to: kept in the data folder, for the next run and for those who ask."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from catalog.lifecycle import ABORT, EXPIRE, REMOVE_MARKER, REMOVE_NONCURRENT

FILE = "lifecycle.json"
DRAFT = ".new"
NAMES = {
    EXPIRE: "objects expired",
    REMOVE_NONCURRENT: "noncurrent versions removed",
    REMOVE_MARKER: "expired delete markers removed",
    ABORT: "uploads aborted",
}


class Report(msgspec.Struct):
    """`started` and `finished` are seconds since the epoch, `finished` is 0.0 while it is not.

    `bytes` are those of the versions that ended or were hidden. What was `protected` a lock keeps; what was `passed`
    over was due when it was found, and changed before it was decided.
    """

    started: float
    finished: float = 0.0
    buckets: int = 0
    done: dict[str, int] = {}
    bytes: int = 0
    protected: int = 0
    passed: int = 0
    at_bucket: str = ""

    def count(self, kind: str, size: int) -> None:
        self.done[kind] = self.done.get(kind, 0) + 1
        self.bytes += size

    @property
    def text(self) -> str:
        """What was done, in a line."""
        said = [f"{self.done[kind]:,} {name}" for kind, name in NAMES.items() if self.done.get(kind)]
        if self.protected:
            said.append(f"{self.protected:,} kept by a lock")
        if self.passed:
            said.append(f"{self.passed:,} changed meanwhile")
        return ", ".join(said) or "nothing was due"

    @property
    def through(self) -> str | None:
        """When it was; None while it is not."""
        return datetime.fromtimestamp(self.finished, UTC).isoformat(timespec="seconds") if self.finished else None

    @property
    def when(self) -> str:
        time = datetime.fromtimestamp(self.finished or self.started, UTC).isoformat(sep=" ", timespec="seconds")
        return f"through at {time}" if self.finished else f"begun at {time}, at {self.at_bucket or 'the beginning'}"

    def save(self, data: Path) -> None:
        """Whole, or as it was before."""
        draft = data / (FILE + DRAFT)
        draft.write_bytes(msgspec.json.encode(self))
        draft.rename(data / FILE)


def last(data: Path) -> Report | None:
    """The last run, finished or not; None if none can be read."""
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=Report)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
