"""Pages of a bucket's objects and versions.

The rows are written here as XML, ready: at a thousand a page they are what a listing costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from catalog.records import Listed
from gateway.operations import Context
from gateway.operations.buckets import decode_token, encode_token
from gateway.s3.errors import invalid_argument
from gateway.s3.model import operation, operations
from gateway.s3.times import xml_time
from gateway.s3.write import compile_row
from gateway.s3.xml import escape

MAX_KEYS = 1000

# What encoding-type=url leaves as it is.
FORM_SAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.*/"


def row_writer(name: str, member: str, *columns: str) -> Callable[..., str]:
    return compile_row(operations[name].row_template(member, *columns))


# Rows without a checksum and with one, in the order of S3's elements.
CHECKSUM = ("checksum_algorithm", "checksum_type")
OBJECT_HEAD = ("key", "last_modified", "etag")
OBJECT = (
    row_writer("ListObjectsV2", "contents", *OBJECT_HEAD, "size", "storage_class"),
    row_writer("ListObjectsV2", "contents", *OBJECT_HEAD, *CHECKSUM, "size", "storage_class"),
)
OWNED_OBJECT = (
    row_writer("ListObjectsV2", "contents", *OBJECT_HEAD, "size", "owner.id", "storage_class"),
    row_writer("ListObjectsV2", "contents", *OBJECT_HEAD, *CHECKSUM, "size", "owner.id", "storage_class"),
)
VERSION_HEAD = ("key", "version_id", "is_latest", "last_modified")
VERSION = (
    row_writer("ListObjectVersions", "versions", *VERSION_HEAD, "etag", "size", "owner.id", "storage_class"),
    row_writer("ListObjectVersions", "versions", *VERSION_HEAD, "etag", *CHECKSUM, "size", "owner.id", "storage_class"),
)
DELETE_MARKER = row_writer("ListObjectVersions", "delete_markers", *VERSION_HEAD, "owner.id")

STAMPS = 100_000
stamps: dict[int, str] = {}


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
        "contents": object_rows(page.items, url, cx.here.owner),
        "common_prefixes": common_prefixes(page.prefixes, url),
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
        "key_count": len(page.items) + len(page.prefixes),
        "max_keys": limit,
        "delimiter": head_text(delimiter, url) if delimiter else None,
        "is_truncated": page.truncated,
        "encoding_type": encoding_type,
        "contents": object_rows(page.items, url, cx.here.owner if fetch_owner else None),
        "common_prefixes": common_prefixes(page.prefixes, url),
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
        "common_prefixes": common_prefixes(page.prefixes, url),
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


def common_prefixes(prefixes: list[str], url: bool) -> list[dict[str, str]]:
    return [{"prefix": head_text(prefix, url)} for prefix in prefixes]


def object_rows(items: list[tuple[str, Listed]], url: bool, owner: str | None) -> str:
    plain, checked = OWNED_OBJECT if owner else OBJECT
    owned = (escape(owner),) if owner else ()
    rows = []
    for key, (_, listed) in zip(row_texts([key for key, _ in items], url), items, strict=True):
        stamp = stamps.get(listed.modified // 1000) or make_stamp(listed.modified)
        check = listed.checksum
        if check is None:
            rows.append(plain(key, stamp, listed.etag, listed.size, *owned, listed.storage_class))
        else:
            rows.append(
                checked(key, stamp, listed.etag, check.algorithm, check.kind, listed.size, *owned, listed.storage_class)
            )
    return "".join(rows)


def version_rows(items: list[tuple[str, Listed, bool]], url: bool, owner: str) -> str:
    plain, checked = VERSION
    owned = escape(owner)
    rows = []
    for key, (_, listed, latest) in zip(row_texts([item[0] for item in items], url), items, strict=True):
        head = (key, listed.version_id, "true" if latest else "false", make_stamp(listed.modified))
        tail = (listed.size, owned, listed.storage_class)
        check = listed.checksum
        if listed.delete_marker:
            rows.append(DELETE_MARKER(*head, owned))
        elif check is None:
            rows.append(plain(*head, listed.etag, *tail))
        else:
            rows.append(checked(*head, listed.etag, check.algorithm, check.kind, *tail))
    return "".join(rows)


def row_texts(keys: list[str], url: bool) -> list[str]:
    """Keys as XML text. Most pages have none that needs a change, which a look at all of them together shows."""
    together = "".join(keys)
    if not url:
        return keys if escape(together) is together else [escape(key) for key in keys]
    if together.isascii() and not together.encode().translate(None, FORM_SAFE):
        return keys
    return [form_encoded(key) for key in keys]


def form_encoded(text: str) -> str:
    """As S3 does it: like a form, a space is a plus; but slashes stay."""
    return quote_plus(text, safe="/*").replace("~", "%7E")


def make_stamp(modified: int) -> str:
    """Listings show whole seconds. Objects written together share them, so few are ever formatted."""
    seconds = modified // 1000
    stamp = stamps.get(seconds)
    if stamp is None:
        if len(stamps) > STAMPS:
            stamps.clear()
        stamp = stamps[seconds] = xml_time(modified)
    return stamp
