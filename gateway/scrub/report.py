"""What a scrub found, and how far it is: kept in the data folder, so that it can go on after it was broken off."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from catalog.database.frames import Validation

FILE = "scrub.json"
BACKGROUND = "scrub-background.json"  # of the scrub that a server runs
PASSED, FAILED, REPAIRED = "passed", "failed", "repaired"
CHECKS = {
    "missing": "present",
    "unreadable": "present",
    "size": "size",
    "etag": "etag",
    "checksum": "checksum",
    "database": "agreement",
    "usage": "usage",
    "orphan": "stray",
}


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """`kind` is one of CHECKS; `part` is 0 where it is of the whole, `body` is where the bytes lie."""

    kind: str
    detail: str
    bucket: str = ""
    key: str = ""
    version_id: str = ""
    upload_id: str = ""
    part: int = 0
    body: str = ""
    result: str = FAILED

    def validation(self) -> Validation:
        return Validation(
            CHECKS[self.kind],
            self.result,
            key=self.key or None,
            version_id=self.version_id or None,
            upload_id=self.upload_id or None,
            part=self.part or None,
            body=self.body or None,
            detail=self.detail,
        )


class Report(msgspec.Struct):
    """`started` and `finished` are seconds since the epoch, 0.0 while it is not.

    Buckets up to the name `done` are finished; of `at_bucket` all before `at_key` was read, which came to `passed`,
    items by check, and `read` bytes.
    """

    started: float
    only: str = ""  # the one bucket that was asked for
    finished: float = 0.0
    bodies: int = 0
    bytes: int = 0
    expected: int = 0  # bytes that there were at the beginning, as far as the database knew
    done: str = ""
    at_bucket: str = ""
    at_key: str = ""
    passed: dict[str, int] = {}
    read: int = 0
    findings: list[Finding] = []

    def begin(self, bucket: str) -> None:
        """Unless it was begun by an earlier run."""
        if self.at_bucket != bucket:
            self.at_bucket, self.at_key, self.passed, self.read = bucket, "", {}, 0

    def end(self, bucket: str) -> None:
        self.done, self.at_bucket, self.at_key, self.passed, self.read = bucket, "", "", {}, 0

    def found(self, findings: Iterable[Finding]) -> None:
        """What was found already, before the scrub was broken off, is not new."""
        self.findings += [each for each in findings if each not in self.findings]

    def count(self, checks: Iterable[str]) -> None:
        for check in checks:
            self.passed[check] = self.passed.get(check, 0) + 1

    def validations(self, bucket: str) -> list[Validation]:
        """Of the bucket at hand, or of no bucket: what passed, and what did not."""
        passed = [
            Validation(check, PASSED, items, self.read if check == "present" else 0)
            for check, items in self.passed.items()
        ]
        return passed + [each.validation() for each in self.findings if each.bucket == bucket]

    @property
    def wrong(self) -> int:
        """How much was found and is not repaired."""
        return sum(each.result == FAILED for each in self.findings)

    def save(self, data: Path, name: str = FILE) -> None:
        """In one step: a report is there whole."""
        draft = data / f"{name}.new"
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(self))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(data / name)


def last(data: Path, name: str = FILE) -> Report | None:
    """The last scrub of a folder, finished or not; None if none can be read."""
    try:
        return msgspec.json.decode((data / name).read_bytes(), type=Report)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
