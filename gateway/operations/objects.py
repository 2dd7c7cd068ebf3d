"""Objects whole: put, get, head."""

from __future__ import annotations

import builtins
from collections.abc import Awaitable
from typing import Any

import msgspec

from catalog.errors import BodyDamaged, NoObject
from catalog.records import Lock, Version
from gateway.blobs.errors import NoBlob
from gateway.body import Body
from gateway.operations import Context, conditions, encryption, ranges, streaming
from gateway.operations.checksums import DEFAULT, promised, shown
from gateway.operations.described import Description, describe, named_version
from gateway.operations.expiring import expiration
from gateway.operations.granting import NO_WISH, Wish, author_of
from gateway.operations.locking import check_promise, read_lock
from gateway.operations.receiving import Received, receive
from gateway.operations.showing import not_modified, shown_object
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

TRIES = 5
NOT_ASKED = (None,) * 6  # of encryption


@operation
async def put_object(
    cx: Context,
    bucket: str,
    key: str,
    body: Body,
    acl: str | None = None,
    bucket_key_enabled: bool | None = None,
    cache_control: str | None = None,
    checksum_algorithm: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_md5: str | None = None,
    content_type: str | None = None,
    expires: str | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write_acp: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    metadata: dict[str, str] | None = None,
    object_lock_legal_hold_status: str | None = None,
    object_lock_mode: str | None = None,
    object_lock_retain_until_date: int | None = None,
    server_side_encryption: str | None = None,
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
    ssekms_key_id: str | None = None,
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
    wish = (acl, grant_full_control, grant_read, grant_read_acp, grant_write_acp)
    author = None if wish == NO_WISH and cx.here.settings is None else author_of(cx, key, Wish(*wish))
    customers = sse_customer_algorithm, sse_customer_key, sse_customer_key_md5
    by = (server_side_encryption, *customers, ssekms_key_id, bucket_key_enabled)
    sealing = None if by == NOT_ASKED and cx.here.settings is None else encryption.asked(cx, *by)
    check = conditions.on_write(bucket, key, if_match, if_none_match)
    promise = promised(checksums, checksum_algorithm, content_md5, cx.request.headers.get("x-amz-trailer"))
    lock, here = None, cx.here
    asks = object_lock_mode or object_lock_legal_hold_status or object_lock_retain_until_date is not None
    if asks or here.object_lock is not None:
        lock = read_lock(cx, object_lock_mode, object_lock_retain_until_date, object_lock_legal_hold_status)
        check_promise(here, lock, promise, "Put Object")
    algorithm = promise.algorithm or DEFAULT
    if check is not None:
        check(current(cx, key))  # spares the body of a write that would be refused; the one that counts is to come

    def commit(received: Received) -> Awaitable[Version]:
        draft = draft_of(cx, received, algorithm, description, lock)
        if author is not None:
            draft = msgspec.structs.replace(draft, owner=author.owner, acl=author.acl)
        origin = cx.origin if cx.request.form is None else cx.origin_of("PostObject")
        return cx.catalog.put(origin, here, key, draft, received.content, check)

    version = await receive(cx, body, promise, algorithm, commit, sealing)
    output = {
        "etag": version.etag,
        **shown(version.checksum),
        "version_id": named_version(version.version_id),
    }
    if here.settings:
        output |= expiration(here, key, version)
    return output if sealing is None else output | encryption.shown_made(version.encryption, sealing)


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
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
    version_id: str | None = None,
    **overrides: str,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
    here = cx.here
    customer = None
    if not (sse_customer_algorithm is sse_customer_key is sse_customer_key_md5 is None):
        customer = encryption.customer_of(cx, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5)
    missed: list[Version] = []
    for _ in builtins.range(TRIES):
        version = cx.catalog.get(here, key, version_id)
        unwrap = None
        if version.encryption is not None or customer is not None:
            unwrap = encryption.unlocked(cx, version.encryption, customer)
        if not conditions.is_modified(version, if_match, if_none_match, if_modified_since, if_unmodified_since):
            return not_modified(cx, version)
        try:
            chosen = ranges.select(cx.catalog, version, range, part_number)
            body = await streaming.read(cx, version, chosen.start, chosen.length, unwrap)
        except (NoBlob, FileNotFoundError):
            missed.append(version)
            continue  # overwritten or deleted between the look-up and the opening
        output = shown_object(cx, version, chosen, checksum_mode, overrides, customer)
        if here.settings and version_id is None:
            output |= expiration(here, key, version)
        output["body"] = body
        return output
    if missed[0] == missed[-1]:
        what = f"the body of the version with sequence number {missed[0].seq} is missing"
        raise BodyDamaged(what, missed[0].body)
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
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
    version_id: str | None = None,
    **overrides: str,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html"""
    here = cx.here
    customer = None
    if not (sse_customer_algorithm is sse_customer_key is sse_customer_key_md5 is None):
        customer = encryption.customer_of(cx, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5)
    for _ in builtins.range(TRIES):
        version = cx.catalog.get(here, key, version_id)
        if version.encryption is not None or customer is not None:
            encryption.unlocked(cx, version.encryption, customer)
        if not conditions.is_modified(version, if_match, if_none_match, if_modified_since, if_unmodified_since):
            return not_modified(cx, version)
        try:
            chosen = ranges.select(cx.catalog, version, range, part_number)
        except FileNotFoundError:
            continue  # overwritten or deleted between the look-up and that of the part
        output = shown_object(cx, version, chosen, checksum_mode, overrides, customer)
        if here.settings and version_id is None:
            output |= expiration(here, key, version)
        return output
    raise S3Error("OperationAborted")


def draft_of(
    cx: Context, received: Received, algorithm: str, description: Description, lock: Lock | None = None
) -> Version:
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
        lock=lock,
        encryption=received.encryption,
    )


def current(cx: Context, key: str) -> Version | None:
    try:
        return cx.catalog.get(cx.here, key)
    except NoObject:
        return None
