"""Copies inside the gateway: bodies are shared, not written again, and read only for digests that nobody has yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from catalog import Source
from catalog.errors import CatalogError, SourceChanged
from catalog.records import Checksum, Part, Piece, Version
from gateway.access.deciding import permits
from gateway.blobs import Digests
from gateway.blobs.errors import NoBlob
from gateway.operations import Context, conditions, streaming
from gateway.operations.checksums import DEFAULT, FULL_OBJECT, encode, read_algorithm, shown, shown_part
from gateway.operations.described import KEPT, REDIRECT, Description, describe, made_version, shown_version
from gateway.operations.expiring import expiration
from gateway.operations.granting import Wish, author_of
from gateway.operations.locking import read_lock
from gateway.operations.ranges import check_part_number, copy_range, parts_of
from gateway.operations.receiving import MAX_SIZE
from gateway.operations.sources import Original, digest_again, look_up
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

TRIES = 5
REPLACE = "REPLACE"


@operation
async def copy_object(
    cx: Context,
    bucket: str,
    key: str,
    copy_source: str,
    acl: str | None = None,
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
    check = conditions.on_write(bucket, key, if_match, if_none_match)
    conditional = {
        "if_match": copy_source_if_match,
        "if_none_match": copy_source_if_none_match,
        "if_modified_since": copy_source_if_modified_since,
        "if_unmodified_since": copy_source_if_unmodified_since,
    }
    changes = metadata_directive == REPLACE or website_redirect_location or algorithm
    for _ in range(TRIES):
        original = look_up(cx, copy_source, conditional)
        check_size(original.version.size)
        if original.version.tags and tagging_directive != REPLACE:
            check_tags(cx, original, key)
        same_class = asked.storage_class == original.version.storage_class
        if not changes and same_class and is_itself(cx, original, key):
            raise S3Error(
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself without changing the"
                " object's metadata, storage class, website redirect location or encryption attributes.",
            )
        try:
            draft = await copy_of(cx, original.version, algorithm)
            draft = described(draft, asked, metadata_directive == REPLACE, tagging_directive == REPLACE)
            draft = msgspec.structs.replace(draft, owner=author.owner, acl=author.acl, lock=lock)
            version = await cx.catalog.put(cx.origin, cx.here, key, draft, check=check, source=original.source)
        except (NoBlob, FileNotFoundError, SourceChanged):
            continue  # the source was overwritten or deleted meanwhile
        result = {"etag": version.etag, "last_modified": version.modified, **shown(version.checksum)}
        return {
            "copy_object_result": result,
            "copy_source_version_id": shown_version(original.bucket, original.version.version_id),
            "version_id": made_version(version.version_id),
            **(expiration(cx.here, key, version) if cx.here.settings else {}),
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
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html"""
    check_part_number(part_number)
    upload = cx.catalog.upload(cx.here, key, upload_id)
    conditional = {
        "if_match": copy_source_if_match,
        "if_none_match": copy_source_if_none_match,
        "if_modified_since": copy_source_if_modified_since,
        "if_unmodified_since": copy_source_if_unmodified_since,
    }
    for _ in range(TRIES):
        original = look_up(cx, copy_source, conditional)
        chosen = copy_range(copy_source_range, original.version.size)
        check_size(chosen.length)
        blank = Part(part_number, chosen.length, "", 0, None, Checksum(upload.checksum_algorithm or DEFAULT, ""))

        async def commit(draft: Part, source: Source | None) -> Part:
            return await cx.catalog.put_part(cx.origin, cx.here, key, upload_id, draft, source=source)

        try:
            pieces = streaming.stretch(cx.catalog, original.version, chosen.start, chosen.length)
            part = await copy_part(cx, original, pieces, blank, commit)
        except (NoBlob, FileNotFoundError, SourceChanged):
            continue  # the source was overwritten or deleted meanwhile
        return {
            "copy_part_result": {
                "etag": part.etag,
                "last_modified": part.modified,
                **(shown_part(part) if upload.checksum_algorithm else {}),
            },
            "copy_source_version_id": shown_version(original.bucket, original.version.version_id),
        }
    raise S3Error("OperationAborted")


async def copy_of(cx: Context, version: Version, algorithm: str) -> Version:
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
        pieces = streaming.stretch(cx.catalog, version, 0, version.size)
        digests = await digest_again(cx, pieces, version.size, wanted)
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
    pieces: list[Piece],
    blank: Part,
    commit: Callable[[Part, Source | None], Awaitable[Part]],
) -> Part:
    """A part of the bytes in `pieces`: shared when they are one piece, written anew when they are several."""
    assert blank.checksum is not None
    algorithm = blank.checksum.algorithm
    if len(pieces) <= 1:
        digests = await digest_again(cx, pieces, blank.size, {"MD5", algorithm})
        piece = pieces[0] if pieces else None
        return await commit(filled(blank, piece, digests, algorithm), original.source)
    stream = streaming.Stream(cx, streaming.small_read(cx.catalog, pieces), blank.size)
    try:
        async with cx.blobs.new(Digests({"MD5", algorithm})) as blob:
            async for chunk in stream:
                await blob.write(chunk)
            blob_id, size, digests = await blob.finish()
    finally:
        await stream.aclose()
    try:
        return await commit(filled(blank, Piece(size, blob=blob_id), digests, algorithm), None)
    except (CatalogError, S3Error):
        await cx.blobs.drop([blob_id])
        raise


def filled(blank: Part, piece: Piece | None, digests: dict[str, bytes], algorithm: str) -> Part:
    checksum = Checksum(algorithm, encode(digests[algorithm]))
    return msgspec.structs.replace(blank, etag=digests["MD5"].hex(), piece=piece, checksum=checksum)


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
