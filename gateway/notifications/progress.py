"""How far each target is: kept in the data folder, for the next start and for those who ask."""

from __future__ import annotations

from pathlib import Path

import msgspec

FILE = "notifications.json"
DRAFT = ".new"


class Progress(msgspec.Struct):
    """All events of mutations up to the number `delivered` are. Times are seconds since the epoch, 0.0 for never.

    `failures` are those since the last message that arrived; `error` is the last of them.
    """

    delivered: int
    messages: int = 0
    delivered_at: float = 0.0
    failures: int = 0
    failing_since: float = 0.0
    error: str = ""


def save(data: Path, targets: dict[str, Progress]) -> None:
    """Whole, or as it was before: what is told twice then is told twice."""
    draft = data / (FILE + DRAFT)
    draft.write_bytes(msgspec.json.encode(targets))
    draft.rename(data / FILE)


def load(data: Path) -> dict[str, Progress]:
    """By target, of those that are not defined any more, too; empty if none can be read."""
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=dict[str, Progress])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
