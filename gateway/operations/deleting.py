"""Objects away: one, or up to a thousand in one request."""

from __future__ import annotations

import asyncio
from typing import Any

from catalog import Check, Deleted
from catalog.errors import BadVersionId, NoVersion
from gateway.access.deciding import is_ruled, permits
from gateway.operations import Context
from gateway.operations.conditions import on_delete
from gateway.operations.locking import may_bypass
from gateway.request import MAX_KEY_BYTES
from gateway.s3.errors import S3Error, from_fact
from gateway.s3.model import operation

MAX_KEYS = 1000
AT_ONCE = 64  # keys that are asked for without a pause


@operation
async def delete_object(
    cx: Context,
    bucket: str,
    key: str,
    bypass_governance_retention: bool | None = None,
    if_match: str | None = None,
    if_match_last_modified_time: int | None = None,
    if_match_size: int | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html"""
    check = on_delete(bucket, key, if_match, if_match_last_modified_time, if_match_size)
    bypass = bypass_governance_retention is True and may_bypass(cx, key, version_id)
    deleted = await cx.catalog.delete(cx.origin, cx.here, key, version_id, check, bypass)
    return {"delete_marker": deleted.delete_marker or None, "version_id": deleted.version_id}


@operation
async def delete_objects(
    cx: Context,
    bucket: str,
    delete: dict[str, Any],
    bypass_governance_retention: bool | None = None,
    checksum_algorithm: str | None = None,
) -> dict[str, Any]:
    """Each key for itself: what one meets does not touch the others.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
    """
    named = list(delete["objects"])
    if not 0 < len(named) <= MAX_KEYS or not all(each["key"] for each in named):
        raise S3Error("MalformedXML")
    parts = []
    for start in range(0, len(named), AT_ONCE):
        part = named[start : start + AT_ONCE]
        parts.append(asyncio.create_task(_delete(cx, bucket, part, bypass_governance_retention is True)))
        await asyncio.sleep(0)  # other requests have their turn
    came = [each for part in await asyncio.gather(*parts) for each in part]
    deleted = [] if delete.get("quiet") else [_deleted(each, by) for each, by in came if isinstance(by, Deleted)]
    return {"deleted": deleted, "errors": [_failed(each, by) for each, by in came if not isinstance(by, Deleted)]}


async def _delete(
    cx: Context, bucket: str, named: list[dict[str, Any]], bypass: bool
) -> list[tuple[dict[str, Any], Deleted | Exception]]:
    """What came of each, the refused ones first."""
    ruled = is_ruled(cx.here)
    wanted: list[dict[str, Any]] = []
    refused: list[tuple[dict[str, Any], Deleted | Exception]] = []
    for each in named:
        if not _fits(each["key"]):
            refused.append((each, S3Error("KeyTooLongError")))
        elif ruled and not _allowed(cx, each):
            refused.append((each, S3Error("AccessDenied")))
        else:
            wanted.append(each)
    deletions = [_deletion(bucket, each) for each in wanted]
    passing: set[tuple[str, str | None]] = set()
    if bypass:
        passing = {(key, version_id) for key, version_id, _ in deletions if may_bypass(cx, key, version_id)}
    came = await cx.catalog.delete_many(cx.origin, cx.here, deletions, passing)
    return refused + list(zip(wanted, came, strict=True))


def _allowed(cx: Context, each: dict[str, Any]) -> bool:
    version_id = each.get("version_id") or None
    asked = cx.ask(cx.here, each["key"], version_id)
    asked.given = each
    reads = each.get("etag") in (None, "*") or permits("s3:GetObject", asked)
    return reads and permits("s3:DeleteObject" if version_id is None else "s3:DeleteObjectVersion", asked)


def _deletion(bucket: str, each: dict[str, Any]) -> tuple[str, str | None, Check | None]:
    key = each["key"]
    check = on_delete(bucket, key, each.get("etag"), each.get("last_modified_time"), each.get("size"))
    return key, each.get("version_id") or None, check


def _deleted(each: dict[str, Any], result: Deleted) -> dict[str, Any]:
    shown = {"key": each["key"], "version_id": each.get("version_id") or None}
    if result.delete_marker:
        shown |= {"delete_marker": True, "delete_marker_version_id": result.version_id}
    return shown


def _failed(each: dict[str, Any], why: Exception) -> dict[str, Any]:
    if isinstance(why, BadVersionId):
        # Alone, DELETE calls it an InvalidArgument; among several it is a version that is not there.
        why = NoVersion("", each["key"], why.version_id)
    error = from_fact(why)
    return {
        "key": each["key"],
        "version_id": each.get("version_id") or None,
        "code": error.code,
        "message": error.message,
    }


def _fits(key: str) -> bool:
    return len(key.encode()) <= MAX_KEY_BYTES
