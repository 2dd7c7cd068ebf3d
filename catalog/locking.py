"""Object Lock: what may end or become less, and how long a new version is retained.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from catalog.records import Lock, ObjectLock

GOVERNANCE, COMPLIANCE = "GOVERNANCE", "COMPLIANCE"
ON = "ON"
_DAY = 86_400_000  # milliseconds
_NONE = Lock()


def may_end(lock: Lock, now: int, bypass: bool) -> bool:
    """Whether a version that has it may end at `now`; `bypass` is the leave to pass over GOVERNANCE."""
    if lock.hold == ON:
        return False
    return not _retains(lock, now) or (bypass and lock.mode == GOVERNANCE)


def may_become(lock: Lock, wanted: Lock, now: int, bypass: bool) -> bool:
    """Whether its retention may be as wanted: longer at any time, else only where it was GOVERNANCE, by a bypass."""
    if not _retains(lock, now) or (wanted.mode == lock.mode and wanted.until >= lock.until):
        return True
    return bypass and lock.mode == GOVERNANCE


def of_new(rule: ObjectLock, asked: Lock | None, now: int) -> Lock | None:
    """What a version made at `now` in a bucket of that rule has; what was asked for goes before the rule."""
    if not rule.mode or (asked is not None and asked.mode):
        return asked
    return msgspec.structs.replace(asked or _NONE, mode=rule.mode, until=_until(rule, now))


def retained(lock: Lock | None, wanted: Lock) -> Lock | None:
    """The lock with the retention of `wanted`; None where nothing is left of it."""
    changed = msgspec.structs.replace(lock or _NONE, mode=wanted.mode, until=wanted.until)
    return changed if changed != _NONE else None


def _retains(lock: Lock, now: int) -> bool:
    return lock.mode != "" and now < lock.until


def _until(rule: ObjectLock, now: int) -> int:
    """Years are those of the calendar; the 29th of February is the 1st of March in one that lacks it."""
    if rule.days:
        return now + rule.days * _DAY
    day = datetime.fromtimestamp(now // 1000, UTC)
    year = day.year + rule.years
    try:
        later = day.replace(year=year)
    except ValueError:
        later = day.replace(year=year, month=3, day=1)
    return int(later.timestamp()) * 1000 + now % 1000
