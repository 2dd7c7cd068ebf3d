"""What a scrub found, and how far it is: kept in the data folder, so that it can go on after it was broken off."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

FILE = "scrub.json"


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """`kind` is missing, unreadable, size, etag, checksum, orphan or database; `part` is 0 where it is of the whole."""

    kind: str
    detail: str
    bucket: str = ""
    key: str = ""
    version_id: str = ""
    upload_id: str = ""
    part: int = 0


class Report(msgspec.Struct):
    """`started` and `finished` are seconds since the epoch, 0.0 while it is not. All before `at_key` was read."""

    started: float
    only: str = ""  # the one bucket that was asked for
    finished: float = 0.0
    bodies: int = 0
    bytes: int = 0
    at_bucket: str = ""
    at_key: str = ""
    findings: list[Finding] = []

    def save(self, data: Path) -> None:
        """In one step: a report is there whole."""
        draft = data / f"{FILE}.new"
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(self))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(data / FILE)


def last(data: Path) -> Report | None:
    """The last scrub of a folder, finished or not; None if none can be read."""
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=Report)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
