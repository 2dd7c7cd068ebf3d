"""Object Lock of a bucket: turned on for good, and the retention of what comes without one of its own."""

from __future__ import annotations

from typing import Any

import msgspec

from catalog.records import ObjectLock
from gateway.operations import Context
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
MOST = {"days": 36_500, "years": 100}


@operation
async def get_object_lock_configuration(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html"""
    lock = cx.here.object_lock
    if lock is None:
        raise S3Error("ObjectLockConfigurationNotFoundError", fields={"BucketName": bucket})
    retention = {"mode": lock.mode, "days": lock.days or None, "years": lock.years or None}
    rule = {"default_retention": retention} if lock.mode else None
    return {"object_lock_configuration": {"object_lock_enabled": "Enabled", "rule": rule}}


@operation
async def put_object_lock_configuration(
    cx: Context, bucket: str, object_lock_configuration: dict[str, Any] | None = None, token: str | None = None
) -> None:
    """No token is needed any more to turn it on for a bucket that was there before.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
    """
    if object_lock_configuration is None:
        raise S3Error("MissingRequestBodyError")
    lock = read_configuration(object_lock_configuration)
    await cx.catalog.update_bucket(cx.origin, bucket, lambda found: msgspec.structs.replace(found, object_lock=lock))


def read_configuration(given: dict[str, Any]) -> ObjectLock:
    if "object_lock_enabled" not in given:
        raise S3Error("MalformedXML")
    if "rule" not in given:
        return ObjectLock()
    retention = given["rule"].get("default_retention") or {}
    periods = [name for name in MOST if name in retention]
    if "mode" not in retention or len(periods) != 1:
        raise S3Error("MalformedXML")
    name = periods[0]
    if retention[name] <= 0:
        raise _bad_period("Default retention period must be a positive integer value.", name)
    if retention[name] > MOST[name]:
        raise _bad_period("Default retention period too large.", name)
    return ObjectLock(retention["mode"], **{name: retention[name]})


def _bad_period(message: str, name: str) -> S3Error:
    return S3Error("InvalidArgument", message, fields={"ArgumentName": name.title()})
