"""How far each target is: kept in the data folder, for the next start and for those who ask."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

FILE = "notifications.json"
SYNCED = "notifications-synced.json"
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


def save(data: Path, targets: dict[str, Progress], synced: bool = False) -> None:
    """Whole, or as it was before: what is told twice then is told twice.

    Now and then it is to be `synced`, into a file of its own: the power may take the other.
    """
    draft = data / (FILE + DRAFT)
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(targets))
        if synced:
            file.flush()
            os.fdatasync(file.fileno())
    draft.rename(data / (SYNCED if synced else FILE))


def load(data: Path) -> dict[str, Progress]:
    """By target, of those that are not defined any more, too; empty if none can be read."""
    for name in (FILE, SYNCED):
        try:
            return msgspec.json.decode((data / name).read_bytes(), type=dict[str, Progress])
        except (FileNotFoundError, msgspec.DecodeError):
            continue
    return {}
