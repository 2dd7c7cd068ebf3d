"""Multipart uploads: begun, filled part by part, completed without copying a byte, or aborted."""

from __future__ import annotations

from typing import Any

from catalog.errors import PreconditionFailed
from catalog.records import Part, Upload
from gateway.body import Body
from gateway.operations import Context, encryption
from gateway.operations.checksums import (
    COMPOSITE,
    DEFAULT,
    MEMBERS,
    encode,
    promised,
    read_algorithm,
    read_kind,
)
from gateway.operations.described import describe
from gateway.operations.expiring import abort
from gateway.operations.granting import Wish, author_of
from gateway.operations.locking import check_promise, read_lock
from gateway.operations.receiving import Received, receive
from gateway.s3.errors import S3Error
from gateway.s3.model import operation


@operation
async def create_multipart_upload(
    cx: Context,
    bucket: str,
    key: str,
    acl: str | None = None,
    bucket_key_enabled: bool | None = None,
    cache_control: str | None = None,
    checksum_algorithm: str | None = None,
    checksum_type: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_type: str | None = None,
    expires: str | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write_acp: str | None = None,
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
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html"""
    kept = {
        "cache_control": cache_control,
        "content_disposition": content_disposition,
        "content_encoding": content_encoding,
        "content_language": content_language,
        "expires": expires,
        "website_redirect_location": website_redirect_location,
    }
    description = describe(content_type, kept, metadata, storage_class, tagging)
    author = author_of(cx, key, Wish(acl, grant_full_control, grant_read, grant_read_acp, grant_write_acp))
    lock = read_lock(cx, object_lock_mode, object_lock_retain_until_date, object_lock_legal_hold_status)
    algorithm = read_algorithm(checksum_algorithm)
    sealing = encryption.asked(
        cx,
        server_side_encryption,
        sse_customer_algorithm,
        sse_customer_key,
        sse_customer_key_md5,
        ssekms_key_id,
        bucket_key_enabled,
    )
    draft = Upload(
        "",
        cx.here.id,
        key,
        0,
        cx.caller.id,
        description.storage_class,
        description.content_type,
        description.headers,
        description.metadata,
        description.tags,
        algorithm,
        read_kind(algorithm, checksum_type),
        lock,
        "" if author.owner == cx.here.owner else author.owner,
        author.acl,
        sealing.new_key(cx.blobs.keys)[1] if sealing else None,
    )
    upload = await cx.catalog.create_upload(cx.origin, cx.here, draft)
    return {
        "bucket": bucket,
        "key": key,
        "upload_id": upload.upload_id,
        "checksum_algorithm": upload.checksum_algorithm or None,
        "checksum_type": upload.checksum_kind or None,
        **abort(cx.here, upload),
        **encryption.shown_made(upload.encryption, sealing),
    }


@operation
async def upload_part(
    cx: Context,
    bucket: str,
    key: str,
    body: Body,
    part_number: int,
    upload_id: str,
    checksum_algorithm: str | None = None,
    content_md5: str | None = None,
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
    **checksums: str,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html"""
    promise = promised(checksums, checksum_algorithm, content_md5, cx.request.headers.get("x-amz-trailer"))
    upload = cx.catalog.upload(cx.here, key, upload_id)
    _fits(upload, promise.algorithm)
    check_promise(cx.here, upload.lock, promise, "Put Part")
    customer = encryption.customer_of(cx, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5)
    sealing = encryption.of_part(upload, customer)
    algorithm = upload.checksum_algorithm or DEFAULT

    async def commit(received: Received) -> dict[str, Any]:
        checksum = received.checksum(algorithm)
        draft = Part(part_number, received.size, received.etag, 0, received.piece, checksum, received.encryption)
        part = await cx.catalog.put_part(cx.origin, cx.here, key, upload_id, draft, received.content)
        sent = promise.algorithm or algorithm
        output = {"etag": part.etag, MEMBERS[sent]: encode(received.digests[sent])}
        return output | encryption.shown(part.encryption, customer)

    return await receive(cx, body, promise, algorithm, commit, sealing)


@operation
async def abort_multipart_upload(
    cx: Context, bucket: str, key: str, upload_id: str, if_match_initiated_time: int | None = None
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html"""
    if if_match_initiated_time is not None:
        upload = cx.catalog.upload(cx.here, key, upload_id)
        if upload.initiated // 1000 != if_match_initiated_time // 1000:
            raise PreconditionFailed("If-Match-Initiated-Time")
    await cx.catalog.abort_upload(cx.origin, cx.here, key, upload_id)


def _fits(upload: Upload, algorithm: str) -> None:
    """A composite checksum needs one from the client for each part, of the algorithm the upload was begun with."""
    chosen = upload.checksum_algorithm
    if not chosen or algorithm == chosen or (not algorithm and upload.checksum_kind != COMPOSITE):
        return
    raise S3Error(
        "InvalidRequest",
        f"Checksum Type mismatch occurred, expected checksum Type: {chosen.lower()},"
        f" actual checksum Type: {algorithm.lower() or 'null'}",
    )
