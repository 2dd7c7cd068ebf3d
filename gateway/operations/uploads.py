"""What uploads are under way, and which parts they have."""

from __future__ import annotations

from typing import Any

from catalog.records import Part, Upload
from gateway.operations import Context, encryption
from gateway.operations.checksums import shown_part
from gateway.operations.expiring import abort
from gateway.operations.listing import head_text, past
from gateway.operations.rows import prefix_rows
from gateway.s3.model import operation

MAX_UPLOADS = 1000
MAX_PARTS = 1000


@operation
async def list_parts(
    cx: Context,
    bucket: str,
    key: str,
    upload_id: str,
    max_parts: int | None = None,
    part_number_marker: int | None = None,
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html"""
    customer = encryption.customer_of(cx, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5)
    upload = cx.catalog.upload(cx.here, key, upload_id)
    if customer is not None or upload.checksum_algorithm:
        encryption.of_part(upload, customer)
    limit = MAX_PARTS if max_parts is None else min(max_parts, MAX_PARTS)
    marker = part_number_marker or 0
    found = cx.catalog.parts(cx.here, key, upload_id, marker, limit + 1)
    parts = found[:limit]
    return {
        "bucket": bucket,
        "key": key,
        "upload_id": upload_id,
        "part_number_marker": marker,
        "next_part_number_marker": parts[-1].number if parts else 0,
        "max_parts": limit,
        "is_truncated": bool(limit) and len(found) > limit,
        "parts": [_part(part, bool(upload.checksum_algorithm)) for part in parts],
        "initiator": {"id": upload.owner},
        "owner": {"id": cx.here.owner},
        "storage_class": upload.storage_class,
        "checksum_algorithm": upload.checksum_algorithm or None,
        "checksum_type": upload.checksum_kind or None,
        **abort(cx.here, upload),
    }


@operation
async def list_multipart_uploads(
    cx: Context,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    key_marker: str | None = None,
    max_uploads: int | None = None,
    prefix: str | None = None,
    upload_id_marker: str | None = None,
) -> dict[str, Any]:
    """An upload-id marker says nothing without a key marker.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
    """
    limit = MAX_UPLOADS if max_uploads is None else min(max_uploads, MAX_UPLOADS)
    url = encoding_type == "url"
    prefix, delimiter, key_marker = prefix or "", delimiter or "", key_marker or ""
    after_upload = (upload_id_marker or "") if key_marker else ""
    after = past(key_marker, prefix, delimiter)
    page = cx.catalog.list_uploads(cx.here, prefix, delimiter, after, after_upload, limit)
    return {
        "bucket": bucket,
        "key_marker": head_text(key_marker, url),
        "upload_id_marker": upload_id_marker or "",
        "next_key_marker": head_text(page.next_key, url),
        "next_upload_id_marker": page.next_upload,
        "prefix": head_text(prefix, url) if prefix else None,
        "delimiter": head_text(delimiter, url) if delimiter else None,
        "encoding_type": encoding_type,
        "max_uploads": limit,
        "is_truncated": page.truncated,
        "uploads": [_upload(upload, url, cx.here.owner) for upload in page.items],
        "common_prefixes": prefix_rows(page.prefixes, url),
    }


def _part(part: Part, with_checksum: bool) -> dict[str, Any]:
    """Without an algorithm of the client's choice, the parts' checksums are the gateway's own affair."""
    return {
        "part_number": part.number,
        "last_modified": part.modified,
        "etag": part.etag,
        "size": part.size,
        **(shown_part(part) if with_checksum else {}),
    }


def _upload(upload: Upload, url: bool, owner: str) -> dict[str, Any]:
    return {
        "upload_id": upload.upload_id,
        "key": head_text(upload.key, url),
        "initiated": upload.initiated,
        "storage_class": upload.storage_class,
        "owner": {"id": owner},
        "initiator": {"id": upload.owner},
        "checksum_algorithm": upload.checksum_algorithm or None,
        "checksum_type": upload.checksum_kind or None,
    }
