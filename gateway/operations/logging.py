"""A bucket's access log: where it goes. `gateway.access_logs` writes it and delivers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalog.errors import NoBucket
from catalog.records import Bucket
from gateway.access.acl import Grant, acls_on
from gateway.access_logs.configuration import (
    DELIVERY_TIME,
    EVENT_TIME,
    MOST_PREFIX,
    SETTING,
    SIMPLE,
    Configuration,
    configuration,
    unfit,
)
from gateway.operations import Context
from gateway.operations.acl import shown_grant
from gateway.operations.configurations import keep
from gateway.operations.granting import PERMISSIONS, read_grant
from gateway.s3.errors import S3Error, invalid_argument
from gateway.s3.model import operation

CODE = "InvalidTargetBucketForLogging"


@operation
async def get_bucket_logging(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html"""
    found = configuration(cx.here)
    return {} if found is None else {"logging_enabled": shown(found)}


@operation
async def put_bucket_logging(
    cx: Context, bucket: str, bucket_logging_status: dict[str, Any], checksum_algorithm: str | None = None
) -> None:
    """Whether the target lets logs be written is asked when they are delivered, as by S3.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html
    """
    given = bucket_logging_status.get("logging_enabled")
    if given is None:
        if configuration(cx.here) is not None:
            await keep(cx, SETTING, None)
        return
    target = target_of(cx.catalog.bucket, cx.here, given["target_bucket"])
    wanted = Configuration(
        target.name,
        read_prefix(given["target_prefix"]),
        read_format(given.get("target_object_key_format")),
        read_grants(cx, target, given.get("target_grants") or []),
    )
    await keep(cx, SETTING, wanted.dump())


def target_of(find: Callable[[str], Bucket], source: Bucket, name: str) -> Bucket:
    try:
        target = find(name)
    except NoBucket:
        raise refused("The target bucket for logging does not exist", name) from None
    if target.owner != source.owner:
        raise refused("The owner for the bucket to be logged and the target bucket must be the same.", name)
    if target.region != source.region:
        places = {"SourceBucketLocation": source.region, "TargetBucketLocation": target.region}
        raise S3Error("CrossLocationLoggingProhibitted", fields=places)
    if (why := unfit(target)) is not None:
        raise refused(f"The target bucket for logging {why}.", name)
    return target


def read_prefix(prefix: str) -> str:
    if len(prefix.encode()) > MOST_PREFIX:
        raise invalid_argument(f"The prefix has more than {MOST_PREFIX} bytes", "TargetPrefix", prefix)
    return prefix


def read_format(given: dict[str, Any] | None) -> str:
    if given is None:
        return ""
    if len(given) != 1:
        raise S3Error("MalformedXML")
    if "partitioned_prefix" in given:
        return given["partitioned_prefix"].get("partition_date_source") or EVENT_TIME
    return SIMPLE


def read_grants(cx: Context, target: Bucket, given: list[dict[str, Any]]) -> tuple[Grant, ...]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_TargetGrant.html"""
    if given and not acls_on(target):
        raise S3Error("AccessControlListNotSupported")
    if any(each.get("permission") not in PERMISSIONS for each in given):
        raise S3Error("MalformedXML")
    return tuple(read_grant(cx, each) for each in given)


def shown(found: Configuration) -> dict[str, Any]:
    about: dict[str, Any] = {"target_bucket": found.target_bucket, "target_prefix": found.target_prefix}
    if found.target_grants:
        about["target_grants"] = [shown_grant(grant) for grant in found.target_grants]
    if found.key_format == SIMPLE:
        about["target_object_key_format"] = {"simple_prefix": {}}
    elif found.key_format in (EVENT_TIME, DELIVERY_TIME):
        source = {"partition_date_source": found.key_format}
        about["target_object_key_format"] = {"partitioned_prefix": source}
    return about


def refused(message: str, target: str) -> S3Error:
    return S3Error(CODE, message, fields={"TargetBucket": target})
