"""What a scrub found, and how far it is: kept in the data folder, so that it can go on after it was broken off."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import msgspec

from catalog.database.frames import Validation
from gateway.rot import Rotten, names, noted

FILE = "scrub.json"
BACKGROUND = "scrub-background.json"  # of the scrub that a server runs
SHOWN, NAMED = 3, 20  # of the bodies that were found damaged
PASSED, FAILED, REPAIRED = "passed", "failed", "repaired"
CHECKS = {
    "missing": "present",
    "unreadable": "present",
    "size": "size",
    "etag": "etag",
    "checksum": "checksum",
    "block": "checksum",
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
    before: int = 0  # how much the scrub before it left wrong, which holds until this one is through

    @classmethod
    def begun(cls, data: Path, only: str = "") -> Report:
        """Of a scrub that begins now."""
        earlier = latest(data)
        return cls(time.time(), only, before=earlier.standing if earlier is not None else 0)

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

    @property
    def standing(self) -> int:
        """How much is wrong, as far as is known."""
        return self.wrong if self.finished else max(self.wrong, self.before)

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


def latest(data: Path) -> Report | None:
    """Of the scrubs of a whole folder, by whomever, the one that began last."""
    reports = [report for report in (last(data), last(data, BACKGROUND)) if report is not None and not report.only]
    return max(reports, key=lambda report: report.started, default=None)


@dataclass(frozen=True)
class Condition:
    """What is wrong in a folder, as far as is known: by the latest scrub of all, and of what was read since."""

    scrubbed: Report | None
    read: list[Rotten]

    @property
    def degraded(self) -> str | None:
        """Names no bucket and no key, for it is told to anybody; None if all is sound, or was never read."""
        said, report = [], self.scrubbed
        if report is not None and report.standing:
            when = datetime.fromtimestamp(report.finished or report.started, UTC).isoformat(sep=" ", timespec="seconds")
            said.append(f"{report.standing:,} things are wrong in what is stored, by the scrub of {when}")
        if self.read:
            first = ", ".join(found.body or "parts" for found in self.read[:SHOWN])
            more = f" and {len(self.read) - SHOWN:,} others" if len(self.read) > SHOWN else ""
            said.append(f"{len(self.read):,} bodies were found damaged when they were read ({first}{more})")
        return "; ".join(said) or None

    @property
    def named(self) -> list[str]:
        """What was found damaged when it was read, for those who may know of buckets and keys; some, if it is much."""
        return [found.named for found in self.read[:NAMED]]


def condition(data: Path) -> Condition:
    """Read anew only where something was written since."""
    return _condition(data, _stamp(data / FILE), _stamp(data / BACKGROUND), names(data))


@lru_cache(maxsize=1)
def _condition(data: Path, *_: object) -> Condition:
    scrubbed = latest(data)
    known = {found.body for found in scrubbed.findings if found.result == FAILED} if scrubbed is not None else set()
    return Condition(scrubbed, [found for found in noted(data) if found.body not in known])


def _stamp(path: Path) -> tuple[int, ...]:
    """Of a report, which is there whole under another name before it takes this one."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns
