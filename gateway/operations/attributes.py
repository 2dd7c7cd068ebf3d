"""What is known of an object, without its bytes."""

from __future__ import annotations

from typing import Any

from catalog.records import Version
from gateway.operations import Context, encryption
from gateway.operations.checksums import FULL_OBJECT, shown, shown_part
from gateway.operations.described import shown_version
from gateway.operations.objects import TRIES
from gateway.operations.ranges import parts_of
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

MAX_PARTS = 1000


@operation
async def get_object_attributes(
    cx: Context,
    bucket: str,
    key: str,
    object_attributes: list[str],
    max_parts: int | None = None,
    part_number_marker: int | None = None,
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html"""
    customer = encryption.customer_of(cx, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5)
    for _ in range(TRIES):
        version = cx.catalog.get(cx.here, key, version_id)
        encryption.unlocked(cx, version.encryption, customer)
        try:
            return _attributes(cx, version, object_attributes, max_parts, part_number_marker or 0)
        except FileNotFoundError:
            continue  # overwritten or deleted between the look-up and that of the parts
    raise S3Error("OperationAborted")


def _attributes(
    cx: Context, version: Version, wanted: list[str], max_parts: int | None, part_number_marker: int
) -> dict[str, Any]:
    attributes = {
        "ETag": ("etag", version.etag),
        "Checksum": ("checksum", shown(version.checksum) or None),
        "ObjectParts": ("object_parts", _parts(cx, version, max_parts, part_number_marker)),
        "StorageClass": ("storage_class", version.storage_class),
        "ObjectSize": ("object_size", version.size),
    }
    return {
        "last_modified": version.modified,
        "version_id": shown_version(cx.here, version.version_id),
        **dict(attributes[name] for name in wanted),
    }


def _parts(cx: Context, version: Version, max_parts: int | None, marker: int) -> dict[str, Any] | None:
    """Parts are listed for their checksums; where those do not count, S3 tells only how many parts there are."""
    count = parts_of(version)
    if not count:
        return None
    if version.checksum is None or version.checksum.kind == FULL_OBJECT:
        return {"total_parts_count": count}
    limit = MAX_PARTS if max_parts is None else min(max_parts, MAX_PARTS)
    page = cx.catalog.object_parts(version, marker, limit).parts
    return {
        "total_parts_count": count,
        "part_number_marker": marker,
        "next_part_number_marker": marker + len(page) if page else 0,
        "max_parts": limit,
        "is_truncated": marker + len(page) < count,
        "parts": [
            {"part_number": number, "size": part.size, **shown_part(part)}
            for number, part in enumerate(page, marker + 1)
        ],
    }
