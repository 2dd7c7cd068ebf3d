"""What is known of an object, without its bytes."""

from __future__ import annotations

from typing import Any

from catalog.records import Version
from gateway.operations import Context
from gateway.operations.checksums import shown_of, shown_part
from gateway.operations.described import shown_version
from gateway.operations.ranges import parts_of
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
    version_id: str | None = None,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html"""
    version = cx.catalog.get(cx.here, key, version_id)
    attributes = {
        "ETag": ("etag", version.etag),
        "Checksum": ("checksum", shown_of(version) or None),
        "ObjectParts": ("object_parts", _parts(version, max_parts, part_number_marker or 0)),
        "StorageClass": ("storage_class", version.storage_class),
        "ObjectSize": ("object_size", version.size),
    }
    return {
        "last_modified": version.modified,
        "version_id": shown_version(cx.here, version.version_id),
        **dict(attributes[name] for name in object_attributes),
    }


def _parts(version: Version, max_parts: int | None, marker: int) -> dict[str, Any] | None:
    """Parts are listed for the sake of their checksums; where the client chose none S3 tells their number alone."""
    parts = parts_of(version)
    if parts is None:
        return None
    limit = MAX_PARTS if max_parts is None else min(max_parts, MAX_PARTS)
    later = parts[marker:]
    page = later[:limit]
    if parts[0].checksum is None:
        return {"total_parts_count": len(parts)}
    return {
        "total_parts_count": len(parts),
        "part_number_marker": marker,
        "next_part_number_marker": marker + len(page),
        "max_parts": limit,
        "is_truncated": len(later) > len(page),
        "parts": [
            {"part_number": number, "size": part.size, **shown_part(part)}
            for number, part in enumerate(page, marker + 1)
        ],
    }
