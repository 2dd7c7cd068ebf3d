"""Retentions and holds in few words, for the tests of Object Lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from conformance.refusals import refused

GOVERNANCE, COMPLIANCE = "GOVERNANCE", "COMPLIANCE"
LOCKED = "Access Denied because object protected by object lock."


def in_days(days: float) -> datetime:
    """Up to a second later: botocore sends whole ones."""
    return (datetime.now(UTC) + timedelta(days=days, seconds=1)).replace(microsecond=0)


def retention(mode: str, days: float) -> dict[str, Any]:
    return {"Mode": mode, "RetainUntilDate": in_days(days)}


def retain(s3: Any, bucket: str, mode: str, days: float, key: str = "key", **more: Any) -> dict[str, Any]:
    """The retention that was set."""
    wanted = retention(mode, days)
    s3.put_object_retention(Bucket=bucket, Key=key, Retention=wanted, **more)
    return wanted


def hold(s3: Any, bucket: str, status: str, key: str = "key", **more: Any) -> None:
    s3.put_object_legal_hold(Bucket=bucket, Key=key, LegalHold={"Status": status}, **more)


def by_default(s3: Any, bucket: str, mode: str = GOVERNANCE, **period: int) -> None:
    rule = {"DefaultRetention": {"Mode": mode, **period}}
    s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )


@contextmanager
def protected() -> Iterator[None]:
    with refused("AccessDenied", 403) as error:
        yield
    assert error["Message"] == LOCKED
