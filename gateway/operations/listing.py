"""Pages of a bucket's objects and versions."""

from __future__ import annotations

from typing import Any

from gateway.operations import Context
from gateway.operations.buckets import decode_token, encode_token
from gateway.operations.rows import form_encoded, object_rows, prefix_rows, version_rows
from gateway.s3.errors import invalid_argument
from gateway.s3.model import operation

MAX_KEYS = 1000


@operation
async def list_objects(
    cx: Context,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    marker: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    optional_object_attributes: list[str] | None = None,
) -> dict[str, Any]:
    """NextMarker is given only with a delimiter; without one the last key serves.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
    """
    limit, url = page_limit(max_keys), encoding_type == "url"
    prefix, delimiter, marker = prefix or "", delimiter or "", marker or ""
    page = cx.catalog.list_objects(cx.here, prefix, delimiter, past(marker, prefix, delimiter), limit)
    return {
        "name": bucket,
        "prefix": head_text(prefix, url),
        "marker": head_text(marker, url),
        "next_marker": head_text(page.next, url) if page.truncated and delimiter else None,
        "max_keys": limit,
        "delimiter": head_text(delimiter, url) if delimiter else None,
        "is_truncated": page.truncated,
        "encoding_type": encoding_type,
        "contents": object_rows(page.rows, url, cx.here.owner),
        "common_prefixes": prefix_rows(page.prefixes, url),
    }


@operation
async def list_objects_v2(
    cx: Context,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    continuation_token: str | None = None,
    fetch_owner: bool | None = None,
    start_after: str | None = None,
    optional_object_attributes: list[str] | None = None,
) -> dict[str, Any]:
    """With a continuation token `start_after` is only said again; an empty token begins anew.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    """
    limit, url = page_limit(max_keys), encoding_type == "url"
    prefix, delimiter = prefix or "", delimiter or ""
    after = decode_token(continuation_token) if continuation_token else start_after or ""
    page = cx.catalog.list_objects(cx.here, prefix, delimiter, after, limit)
    return {
        "name": bucket,
        "prefix": head_text(prefix, url),
        "start_after": head_text(start_after, url) if start_after else None,
        "continuation_token": continuation_token,
        "next_continuation_token": encode_token(page.next) if page.truncated else None,
        "key_count": len(page.rows) + len(page.prefixes),
        "max_keys": limit,
        "delimiter": head_text(delimiter, url) if delimiter else None,
        "is_truncated": page.truncated,
        "encoding_type": encoding_type,
        "contents": object_rows(page.rows, url, cx.here.owner if fetch_owner else None),
        "common_prefixes": prefix_rows(page.prefixes, url),
    }


@operation
async def list_object_versions(
    cx: Context,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    version_id_marker: str | None = None,
    optional_object_attributes: list[str] | None = None,
) -> dict[str, Any]:
    """Versions and delete markers come mixed, in order of key, then the newest first.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
    """
    if version_id_marker and not key_marker:
        message = "A version-id marker cannot be specified without a key marker."
        raise invalid_argument(message, "version-id-marker", version_id_marker)
    limit, url = page_limit(max_keys), encoding_type == "url"
    prefix, delimiter = prefix or "", delimiter or ""
    after = past(key_marker or "", prefix, delimiter)
    page = cx.catalog.list_versions(cx.here, prefix, delimiter, after, version_id_marker or "", limit)
    return {
        "name": bucket,
        "prefix": head_text(prefix, url),
        "key_marker": head_text(key_marker or "", url),
        "version_id_marker": version_id_marker or "",
        "next_key_marker": head_text(page.next_key, url) if page.truncated else None,
        "next_version_id_marker": (page.next_version or None) if page.truncated else None,
        "max_keys": limit,
        "delimiter": head_text(delimiter, url) if delimiter else None,
        "is_truncated": page.truncated,
        "encoding_type": encoding_type,
        "versions": version_rows(page.items, url, cx.here.owner),
        "common_prefixes": prefix_rows(page.prefixes, url),
    }


def page_limit(max_keys: int | None) -> int:
    return MAX_KEYS if max_keys is None else min(max_keys, MAX_KEYS)


def past(marker: str, prefix: str, delimiter: str) -> str:
    """A marker within a common prefix skips it whole, as the common prefix itself does."""
    if delimiter and marker.startswith(prefix):
        end = marker.find(delimiter, len(prefix))
        if end >= 0:
            return marker[: end + len(delimiter)]
    return marker


def head_text(value: str, url: bool) -> str:
    """A value of the answer's head as encoding-type wants it; the XML writer escapes it."""
    return form_encoded(value) if url else value
