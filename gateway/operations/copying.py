"""Copies inside the gateway: bodies are shared, not written again, and read only for digests that nobody has yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from catalog import Source
from catalog.errors import SourceChanged
from catalog.records import Checksum, Part, Version
from gateway.access.deciding import permits
from gateway.blobs.errors import NoBlob
from gateway.operations import Context, conditions, encryption, streaming
from gateway.operations.checksums import DEFAULT, FULL_OBJECT, encode, read_algorithm, shown, shown_part
from gateway.operations.described import KEPT, REDIRECT, Description, describe, named_version, shown_version
from gateway.operations.encryption import Sealing, Unwrap
from gateway.operations.expiring import expiration
from gateway.operations.granting import Wish, author_of
from gateway.operations.locking import read_lock
from gateway.operations.ranges import Selection, check_part_number, copy_range, parts_of
from gateway.operations.receiving import MAX_SIZE, Received
from gateway.operations.rewriting import rewrite
from gateway.operations.sealed import shareable
from gateway.operations.sources import Original, digest_again, look_up
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

TRIES = 5
REPLACE = "REPLACE"
UNCHANGED = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's"
    " metadata, storage class, website redirect location or encryption attributes."
)


@operation
async def copy_object(
    cx: Context,
    bucket: str,
    key: str,
    copy_source: str,
    acl: str | None = None,
    bucket_key_enabled: bool | None = None,
    cache_control: str | None = None,
    checksum_algorithm: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_type: str | None = None,
    copy_source_if_match: str | None = None,
    copy_source_if_modified_since: int | None = None,
    copy_source_if_none_match: str | None = None,
    copy_source_if_unmodified_since: int | None = None,
    copy_source_sse_customer_algorithm: str | None = None,
    copy_source_sse_customer_key: str | None = None,
    copy_source_sse_customer_key_md5: str | None = None,
    expires: str | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write_acp: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    metadata: dict[str, str] | None = None,
    metadata_directive: str | None = None,
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
    tagging_directive: str | None = None,
    website_redirect_location: str | None = None,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
    kept = {
        "cache_control": cache_control,
        "content_disposition": content_disposition,
        "content_encoding": content_encoding,
        "content_language": content_language,
        "expires": expires,
        "website_redirect_location": website_redirect_location,
    }
    asked = describe(content_type, kept, metadata, storage_class, tagging)
    author = author_of(cx, key, Wish(acl, grant_full_control, grant_read, grant_read_acp, grant_write_acp))
    lock = read_lock(cx, object_lock_mode, object_lock_retain_until_date, object_lock_legal_hold_status)
    algorithm = read_algorithm(checksum_algorithm)
    asked_for = encryption.asked(
        cx,
        server_side_encryption,
        sse_customer_algorithm,
        sse_customer_key,
        sse_customer_key_md5,
        ssekms_key_id,
        bucket_key_enabled,
    )
    customer = encryption.customer_of(
        cx, copy_source_sse_customer_algorithm, copy_source_sse_customer_key, copy_source_sse_customer_key_md5
    )
    check = conditions.on_write(bucket, key, if_match, if_none_match)
    conditional = {
        "if_match": copy_source_if_match,
        "if_none_match": copy_source_if_none_match,
        "if_modified_since": copy_source_if_modified_since,
        "if_unmodified_since": copy_source_if_unmodified_since,
    }
    changes = metadata_directive == REPLACE or bool(website_redirect_location or algorithm or storage_class)
    changes = changes or asked_for is not None
    for _ in range(TRIES):
        original = look_up(cx, copy_source, conditional)
        unwrap = encryption.unlocked(cx, original.version.encryption, customer)
        sealing = encryption.of_copy(original.version, asked_for)
        check_size(original.version.size)
        if original.version.tags and tagging_directive != REPLACE:
            check_tags(cx, original, key)
        if not changes and is_itself(cx, original, key) and encryption.is_same(original.version.encryption, sealing):
            if check is not None:
                check(original.version)
            raise S3Error("InvalidRequest", UNCHANGED)

        async def commit(draft: Version, content: bytes | None, source: Source | None) -> Version:
            draft = described(draft, asked, metadata_directive == REPLACE, tagging_directive == REPLACE)
            draft = msgspec.structs.replace(draft, owner=author.owner, acl=author.acl, lock=lock)
            origin = cx.origin_of("CopyObject")
            return await cx.catalog.put(origin, cx.here, key, draft, content, check, source=source)

        try:
            version = await copied(cx, original, algorithm, unwrap, sealing, commit)
        except (NoBlob, FileNotFoundError, SourceChanged):
            continue  # the source was overwritten or deleted meanwhile
        result = {"etag": version.etag, "last_modified": version.modified, **shown(version.checksum)}
        return {
            "copy_object_result": result,
            "copy_source_version_id": named_version(original.version.version_id),
            "version_id": shown_version(cx.here, version.version_id),
            **(expiration(cx.here, key, version) if cx.here.settings else {}),
            **encryption.shown_made(version.encryption, sealing),
        }
    raise S3Error("OperationAborted")


@operation
async def upload_part_copy(
    cx: Context,
    bucket: str,
    key: str,
    copy_source: str,
    part_number: int,
    upload_id: str,
    copy_source_if_match: str | None = None,
    copy_source_if_modified_since: int | None = None,
    copy_source_if_none_match: str | None = None,
    copy_source_if_unmodified_since: int | None = None,
    copy_source_range: str | None = None,
    copy_source_sse_customer_algorithm: str | None = None,
    copy_source_sse_customer_key: str | None = None,
    copy_source_sse_customer_key_md5: str | None = None,
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html"""
    check_part_number(part_number)
    upload = cx.catalog.upload(cx.here, key, upload_id)
    sealing = encryption.of_part(
        upload, encryption.customer_of(cx, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5)
    )
    customer = encryption.customer_of(
        cx, copy_source_sse_customer_algorithm, copy_source_sse_customer_key, copy_source_sse_customer_key_md5
    )
    conditional = {
        "if_match": copy_source_if_match,
        "if_none_match": copy_source_if_none_match,
        "if_modified_since": copy_source_if_modified_since,
        "if_unmodified_since": copy_source_if_unmodified_since,
    }
    for _ in range(TRIES):
        original = look_up(cx, copy_source, conditional)
        unwrap = encryption.unlocked(cx, original.version.encryption, customer)
        chosen = copy_range(copy_source_range, original.version.size)
        check_size(chosen.length)
        blank = Part(part_number, chosen.length, "", 0, None, Checksum(upload.checksum_algorithm or DEFAULT, ""))

        async def commit_part(draft: Part, content: bytes | None, source: Source | None) -> Part:
            return await cx.catalog.put_part(cx.origin, cx.here, key, upload_id, draft, content, source)

        try:
            part = await copy_part(cx, original, chosen, blank, unwrap, sealing, commit_part)
        except (NoBlob, FileNotFoundError, SourceChanged):
            continue  # the source was overwritten or deleted meanwhile
        return {
            "copy_part_result": {
                "etag": part.etag,
                "last_modified": part.modified,
                **(shown_part(part) if upload.checksum_algorithm else {}),
            },
            "copy_source_version_id": named_version(original.version.version_id),
            **encryption.shown_made(part.encryption, sealing),
        }
    raise S3Error("OperationAborted")


async def copied(
    cx: Context,
    original: Original,
    algorithm: str,
    unwrap: Unwrap | None,
    sealing: Sealing | None,
    commit: Callable[[Version, bytes | None, Source | None], Awaitable[Version]],
) -> Version:
    """Raises NoBlob, FileNotFoundError or SourceChanged: look the source up again."""
    version = original.version
    if encryption.is_same(version.encryption, sealing):
        return await commit(await copy_of(cx, version, algorithm, unwrap), None, original.source)
    algorithm = algorithm or (version.checksum.algorithm if version.checksum else DEFAULT)

    async def commit_rewritten(received: Received) -> Version:
        draft = msgspec.structs.replace(
            version,
            etag=received.etag,
            checksum=received.checksum(algorithm),
            body=received.piece,
            parts=None,
            upload_id=None,
            encryption=received.encryption,
        )
        return await commit(draft, received.content, None)

    sources = streaming.sources(cx.catalog, version, 0, version.size, unwrap)
    return await rewrite(cx, sources, version.size, {"MD5", algorithm}, sealing, commit_rewritten)


async def copy_of(cx: Context, version: Version, algorithm: str, unwrap: Unwrap | None) -> Version:
    """The version's bodies in a new version of one part: S3 shows the MD5 and the checksum of its whole.

    They are computed where the original has those of its parts instead. Raises NoBlob or FileNotFoundError.
    """
    checksum = version.checksum
    algorithm = algorithm or (checksum.algorithm if checksum else DEFAULT)
    if checksum and (checksum.algorithm != algorithm or checksum.kind != FULL_OBJECT):
        checksum = None
    etag = "" if parts_of(version) else version.etag
    wanted = {name for name, known in ((algorithm, checksum), ("MD5", etag)) if not known}
    if wanted:
        sources = streaming.sources(cx.catalog, version, 0, version.size, unwrap)
        digests = await digest_again(cx, sources, version.size, wanted)
        etag = etag or digests["MD5"].hex()
        checksum = checksum or Checksum(algorithm, encode(digests[algorithm]))
    return msgspec.structs.replace(cx.catalog.whole(version), etag=etag, checksum=checksum, upload_id=None)


def described(draft: Version, asked: Description, new_metadata: bool, new_tags: bool) -> Version:
    """The storage class and the redirect are always the request's, metadata and tags when it says so."""
    headers = {name: value for name, value in (draft.headers or {}).items() if name != KEPT[REDIRECT]}
    content_type, metadata = draft.content_type, draft.metadata
    if new_metadata:
        headers, content_type, metadata = asked.headers or {}, asked.content_type, asked.metadata
    elif asked.headers and KEPT[REDIRECT] in asked.headers:
        headers[KEPT[REDIRECT]] = asked.headers[KEPT[REDIRECT]]
    return msgspec.structs.replace(
        draft,
        storage_class=asked.storage_class,
        content_type=content_type,
        headers=headers or None,
        metadata=metadata,
        tags=asked.tags if new_tags else draft.tags,
    )


async def copy_part(
    cx: Context,
    original: Original,
    chosen: Selection,
    blank: Part,
    unwrap: Unwrap | None,
    sealing: Sealing | None,
    commit: Callable[[Part, bytes | None, Source | None], Awaitable[Part]],
) -> Part:
    """A part of the bytes chosen: shared when they are one piece and encrypted alike, otherwise written anew."""
    assert blank.checksum is not None
    algorithm, version = blank.checksum.algorithm, original.version
    sources = streaming.sources(cx.catalog, version, chosen.start, chosen.length, unwrap)
    if encryption.is_same(version.encryption, sealing):
        shared = shareable(cx.catalog, version, chosen.start, chosen.length)
        if shared is not None or not chosen.length:
            digests = await digest_again(cx, sources, blank.size, {"MD5", algorithm})
            piece, sealed_by = shared or (None, None)
            received = Received(blank.size, digests, piece=piece, encryption=sealed_by)
            return await commit(filled(blank, received, algorithm), None, original.source)

    async def commit_rewritten(received: Received) -> Part:
        return await commit(filled(blank, received, algorithm), received.content, None)

    return await rewrite(cx, sources, blank.size, {"MD5", algorithm}, sealing, commit_rewritten)


def filled(blank: Part, received: Received, algorithm: str) -> Part:
    return msgspec.structs.replace(
        blank,
        etag=received.etag,
        piece=received.piece,
        checksum=received.checksum(algorithm),
        encryption=received.encryption,
    )


def check_tags(cx: Context, original: Original, key: str) -> None:
    """Tags that a copy takes along are read there and put here."""
    get = "s3:GetObjectTagging" if original.named_version is None else "s3:GetObjectVersionTagging"
    source = cx.ask(original.bucket, original.key, original.named_version)
    if not permits(get, source) or not cx.may("s3:PutObjectTagging", key):
        raise S3Error("AccessDenied")


def is_itself(cx: Context, original: Original, key: str) -> bool:
    """A copy of an older version onto its own key brings that version back, so it is none of itself."""
    return original.bucket.id == cx.here.id and original.key == key and original.named_version is None


def check_size(size: int) -> None:
    if size > MAX_SIZE:
        raise S3Error(
            "InvalidRequest",
            f"The specified copy source is larger than the maximum allowable size for a copy source: {MAX_SIZE}",
        )
