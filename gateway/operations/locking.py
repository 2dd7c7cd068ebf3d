"""Object Lock of objects: retention and legal holds, put by their own operations or with the object.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from catalog.records import Bucket, Lock, Version
from gateway.access.actions import BYPASS
from gateway.operations import Context
from gateway.operations.checksums import Promise
from gateway.operations.tagging import no_marker
from gateway.s3.errors import S3Error, invalid_argument
from gateway.s3.model import operation
from gateway.s3.times import exact_time

MODE, UNTIL = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"


@operation
async def get_object_retention(cx: Context, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html"""
    lock = lock_of(cx, key, version_id)
    if not lock.mode:
        raise S3Error("NoSuchObjectLockConfiguration", fields={"Key": key})
    return {"retention": {"mode": lock.mode, "retain_until_date": lock.until}}


@operation
async def put_object_retention(
    cx: Context,
    bucket: str,
    key: str,
    bypass_governance_retention: bool | None = None,
    retention: dict[str, Any] | None = None,
    version_id: str | None = None,
) -> None:
    """An empty document takes the retention away.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
    """
    check_has_lock(cx.here)
    wanted = read_retention(retention)
    bypass = bypass_governance_retention is True and may_bypass(cx, key, version_id)
    with no_marker(cx):
        await cx.catalog.retain(cx.origin_of("PutObjectRetention"), cx.here, key, version_id, wanted, bypass)


@operation
async def get_object_legal_hold(cx: Context, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html"""
    lock = lock_of(cx, key, version_id)
    if not lock.hold:
        raise S3Error("NoSuchObjectLockConfiguration", fields={"Key": key})
    return {"legal_hold": {"status": lock.hold}}


@operation
async def put_object_legal_hold(
    cx: Context, bucket: str, key: str, legal_hold: dict[str, Any] | None = None, version_id: str | None = None
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html"""
    status = (legal_hold or {}).get("status")
    if not status:
        raise S3Error("MalformedXML")
    check_has_lock(cx.here)

    def change(version: Version) -> Version:
        return msgspec.structs.replace(version, lock=msgspec.structs.replace(version.lock or Lock(), hold=status))

    with no_marker(cx):
        await cx.catalog.update_version(cx.origin, cx.here, key, version_id, change)


def may_bypass(cx: Context, key: str, version_id: str | None) -> bool:
    """Whether GOVERNANCE is passed over for who asks for it: one who may not has not asked."""
    return cx.may(BYPASS, key, version_id)


def lock_of(cx: Context, key: str, version_id: str | None) -> Lock:
    check_has_lock(cx.here)
    with no_marker(cx):
        return cx.catalog.get(cx.here, key, version_id).lock or Lock()


def check_has_lock(bucket: Bucket) -> None:
    if bucket.object_lock is None:
        raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")


def read_retention(given: dict[str, Any] | None) -> Lock:
    """The retention of a document: mode and date, or neither."""
    if given is None or ("mode" in given) != ("retain_until_date" in given):
        raise S3Error("MalformedXML")
    if not given:
        return Lock()
    until = given["retain_until_date"]
    check_to_come(until, exact_time(until), "RetainUntilDate")
    return Lock(given["mode"], until)


def read_lock(cx: Context, mode: str | None, until: int | None, hold: str | None) -> Lock | None:
    """The lock that headers ask for, None where they do not speak of one.

    What AWS says of a bucket without Object Lock is not what it says to PutObjectRetention, and comes last:
    https://github.com/versity/versitygw/issues/1751 and https://github.com/versity/versitygw/issues/2028
    """
    if mode is None and until is None and hold is None:
        return None
    if (mode is None) != (until is None):
        message = f"{UNTIL} and {MODE} must both be supplied"
        raise S3Error("InvalidArgument", message, fields={"ArgumentName": MODE if mode is None else UNTIL})
    if until is not None:
        check_to_come(until, cx.request.headers.get(UNTIL, exact_time(until)))
    if cx.here.object_lock is None:
        raise S3Error("InvalidRequest", "Bucket is missing ObjectLockConfiguration")
    return Lock(mode or "", until or 0, hold or "")


def check_to_come(until: int, sent: str, name: str = UNTIL) -> None:
    if until <= time.time() * 1000:
        raise invalid_argument("The retain until date must be in the future!", name, sent)


def check_promise(bucket: Bucket, lock: Lock | None, promise: Promise, what: str) -> None:
    """Bytes that will be locked have to come with a digest, so that nothing broken is kept for years.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """
    locked = lock is not None or (bucket.object_lock is not None and bucket.object_lock.mode)
    if locked and not promise.algorithm and promise.content_md5 is None:
        raise S3Error(
            "InvalidRequest",
            f"Content-MD5 OR x-amz-checksum- HTTP header is required for {what} requests with Object Lock parameters",
        )


def shown_lock(cx: Context, lock: Lock) -> dict[str, Any]:
    """As far as the caller may see it: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html."""
    shown: dict[str, Any] = {}
    place = (cx.request.key or "", cx.request.query.get("versionId"))
    if lock.mode and cx.may("s3:GetObjectRetention", *place):
        shown |= {"object_lock_mode": lock.mode, "object_lock_retain_until_date": lock.until}
    if lock.hold and cx.may("s3:GetObjectLegalHold", *place):
        shown["object_lock_legal_hold_status"] = lock.hold
    return shown
