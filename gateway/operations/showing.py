"""What the answer to GetObject and HeadObject says of the object."""

from __future__ import annotations

from typing import Any

from catalog.records import Version
from gateway.operations import Context, encryption, ranges
from gateway.operations.checksums import FULL_OBJECT, shown_of, shown_part
from gateway.operations.described import shown_class, shown_headers, shown_version
from gateway.operations.encryption import Customer
from gateway.operations.locking import shown_lock
from gateway.s3.errors import S3Error


def not_modified(cx: Context, version: Version) -> dict[str, Any]:
    """RFC 9110, 15.4.5: what a 200 would have said of the object's validators and caching, nothing else."""
    headers = version.headers or {}
    return {
        "status": 304,
        "etag": version.etag,
        "last_modified": version.modified,
        "cache_control": headers.get("cache-control"),
        "expires": headers.get("expires"),
        "version_id": shown_version(cx.here, version.version_id),
    }


def shown_object(
    cx: Context,
    version: Version,
    chosen: ranges.Selection,
    checksum_mode: str | None,
    overrides: dict[str, str],
    customer: Customer | None = None,
) -> dict[str, Any]:
    output: dict[str, Any] = {
        "accept_ranges": "bytes",
        "last_modified": version.modified,
        "content_length": chosen.length,
        "etag": version.etag,
        "version_id": shown_version(cx.here, version.version_id),
        "storage_class": shown_class(version.storage_class),
        "content_type": version.content_type,
    }
    if version.headers:
        output |= shown_headers(version.headers)
    if version.metadata:
        output["metadata"] = version.metadata
    if version.encryption is not None:
        output |= encryption.shown(version.encryption, customer)
    if version.tags:
        output["tag_count"] = len(version.tags)
    if version.lock is not None:
        output |= shown_lock(cx, version.lock)
    if overrides:
        output |= _allowed(cx, overrides)
    if chosen.partial:
        end = chosen.start + chosen.length - 1
        output |= {"status": 206, "content_range": f"bytes {chosen.start}-{end}/{version.size}"}
    if chosen.part is not None:
        output["parts_count"] = version.part_count
    if checksum_mode is not None:
        output |= _shown_checksum(version, chosen)
    return output


def _shown_checksum(version: Version, chosen: ranges.Selection) -> dict[str, Any]:
    """That of the whole goes with the whole, a part's own with a part where it counts, and none with any other."""
    if chosen.part is not None and version.checksum is not None and version.checksum.kind != FULL_OBJECT:
        return {**shown_part(chosen.part), "checksum_type": version.checksum.kind}
    return shown_of(version) if chosen.length == version.size else {}


def _allowed(cx: Context, overrides: dict[str, str]) -> dict[str, str]:
    if not cx.caller.id:
        raise S3Error(
            "InvalidRequest",
            "Request specific response headers cannot be used for anonymous GET requests.",
        )
    return {name.removeprefix("response_"): value for name, value in overrides.items()}
