"""Objects whole: put, get, head."""

from __future__ import annotations

import builtins
from typing import Any

from catalog.errors import BodyDamaged, NoObject
from catalog.records import Version
from gateway.blobs.errors import NoBlob
from gateway.body import Body
from gateway.operations import Context, conditions, ranges, streaming
from gateway.operations.acl import check_canned
from gateway.operations.checksums import DEFAULT, promised, shown, shown_of, shown_part
from gateway.operations.described import Description, describe, made_version, shown_class, shown_headers, shown_version
from gateway.operations.receiving import Received, receive
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

TRIES = 5


@operation
async def put_object(
    cx: Context,
    bucket: str,
    key: str,
    body: Body,
    acl: str | None = None,
    cache_control: str | None = None,
    checksum_algorithm: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_md5: str | None = None,
    content_type: str | None = None,
    expires: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    metadata: dict[str, str] | None = None,
    storage_class: str | None = None,
    tagging: str | None = None,
    website_redirect_location: str | None = None,
    **checksums: str,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"""
    kept = {
        "cache_control": cache_control,
        "content_disposition": content_disposition,
        "content_encoding": content_encoding,
        "content_language": content_language,
        "expires": expires,
        "website_redirect_location": website_redirect_location,
    }
    description = describe(content_type, kept, metadata, storage_class, tagging)
    if acl is not None:
        check_canned(cx.here, acl)
    check = conditions.on_write(bucket, key, if_match, if_none_match)
    promise = promised(checksums, checksum_algorithm, content_md5, cx.request.headers.get("x-amz-trailer"))
    algorithm = promise.algorithm or DEFAULT
    if check is not None:
        check(current(cx, key))  # spares the body of a write that would be refused; the one that counts is to come

    async def commit(received: Received) -> Version:
        draft = draft_of(cx, received, algorithm, description)
        return await cx.catalog.put(cx.origin, cx.here, key, draft, received.content, check)

    version = await receive(cx, body, promise, algorithm, commit)
    return {
        "etag": version.etag,
        **shown(version.checksum),
        "version_id": made_version(version.version_id),
    }


@operation
async def get_object(
    cx: Context,
    bucket: str,
    key: str,
    checksum_mode: str | None = None,
    if_match: str | None = None,
    if_modified_since: int | None = None,
    if_none_match: str | None = None,
    if_unmodified_since: int | None = None,
    part_number: int | None = None,
    range: str | None = None,
    version_id: str | None = None,
    **overrides: str,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
    missed: list[Version] = []
    for _ in builtins.range(TRIES):
        version = cx.catalog.get(cx.here, key, version_id)
        if not conditions.is_modified(version, if_match, if_none_match, if_modified_since, if_unmodified_since):
            return not_modified(cx, version)
        try:
            chosen = ranges.select(cx.catalog, version, range, part_number)
            body = await streaming.read(cx, version, chosen.start, chosen.length)
        except (NoBlob, FileNotFoundError):
            missed.append(version)
            continue  # overwritten or deleted between the look-up and the opening
        return {**shown_object(cx, version, chosen, checksum_mode, overrides), "body": body}
    if missed[0] == missed[-1]:
        raise BodyDamaged(f"the body of the version with sequence number {missed[0].seq} is missing")
    raise S3Error("OperationAborted")


@operation
async def head_object(
    cx: Context,
    bucket: str,
    key: str,
    checksum_mode: str | None = None,
    if_match: str | None = None,
    if_modified_since: int | None = None,
    if_none_match: str | None = None,
    if_unmodified_since: int | None = None,
    part_number: int | None = None,
    range: str | None = None,
    version_id: str | None = None,
    **overrides: str,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html"""
    for _ in builtins.range(TRIES):
        version = cx.catalog.get(cx.here, key, version_id)
        if not conditions.is_modified(version, if_match, if_none_match, if_modified_since, if_unmodified_since):
            return not_modified(cx, version)
        try:
            chosen = ranges.select(cx.catalog, version, range, part_number)
        except FileNotFoundError:
            continue  # overwritten or deleted between the look-up and that of the part
        return shown_object(cx, version, chosen, checksum_mode, overrides)
    raise S3Error("OperationAborted")


def draft_of(cx: Context, received: Received, algorithm: str, description: Description) -> Version:
    """The version to be; its sequence number, id and time are the catalog's to give."""
    return Version(
        0,
        "",
        0,
        received.etag,
        received.size,
        description.storage_class,
        cx.here.owner,
        received.checksum(algorithm),
        body=received.piece,
        content_type=description.content_type,
        headers=description.headers,
        metadata=description.metadata,
        tags=description.tags,
    )


def current(cx: Context, key: str) -> Version | None:
    try:
        return cx.catalog.get(cx.here, key)
    except NoObject:
        return None


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
    if version.tags:
        output["tag_count"] = len(version.tags)
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
    """That of the whole goes with the whole, a part's own with a part, and none with any other stretch."""
    if chosen.part is not None and chosen.part.checksum is not None and version.checksum is not None:
        return {**shown_part(chosen.part), "checksum_type": version.checksum.kind}
    return shown_of(version) if chosen.length == version.size else {}


def _allowed(cx: Context, overrides: dict[str, str]) -> dict[str, str]:
    if not cx.caller.id:
        raise S3Error(
            "InvalidRequest",
            "Request specific response headers cannot be used for anonymous GET requests.",
        )
    return {name.removeprefix("response_"): value for name, value in overrides.items()}
