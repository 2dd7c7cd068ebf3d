"""Where a copy comes from: x-amz-copy-source and what goes with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from catalog import SMALL_BODY, Source
from catalog.errors import IsDeleteMarker, NoBucket, PreconditionFailed
from catalog.records import Bucket, Piece, Version
from gateway.access.owners import check_owner
from gateway.blobs import Digests
from gateway.operations import Context, conditions, streaming
from gateway.operations.buckets import is_name
from gateway.operations.sealed import Sealed
from gateway.s3.errors import S3Error, invalid_argument
from gateway.s3.values import BROKEN_ESCAPE

HEADER = "x-amz-copy-source"
EXPECTED_OWNER = "x-amz-source-expected-bucket-owner"
PREFIX = "x-amz-copy-source-"
ADDRESS = re.compile(r"\Ahttps?://[^/]*(?=/)")


@dataclass(slots=True)
class Original:
    bucket: Bucket
    key: str
    version: Version
    named_version: str | None

    @property
    def source(self) -> Source:
        return self.bucket.id, self.key, self.version


def look_up(cx: Context, header: str, conditional: dict[str, str | int | None]) -> Original:
    """`conditional` has the x-amz-copy-source-if-* members without their prefix."""
    name, key, version_id = read_header(header)
    try:
        bucket = cx.reach(name, key, version_id)
    except NoBucket:
        if is_name(name):
            raise
        raise _no_bucket(header) from None
    if (expected := cx.request.headers.get(EXPECTED_OWNER)) is not None:
        check_owner(bucket, expected)
    try:
        version = cx.catalog.get(bucket, key, version_id)
    except IsDeleteMarker:
        message = "The source of a copy request may not specifically refer to a delete marker by version id."
        raise S3Error("InvalidRequest", message) from None
    if any(value is not None for value in conditional.values()):
        _check(version, **conditional)  # type: ignore[arg-type]
    return Original(bucket, key, version, version_id)


def read_header(header: str) -> tuple[str, str, str | None]:
    """Bucket, key and version id. The key comes URL-encoded, as may the slash before it; S3 takes a whole URL, too."""
    path, _, version_id = ADDRESS.sub("", header, count=1).partition("?versionId=")
    try:
        if BROKEN_ESCAPE.search(path):
            raise ValueError(path)
        decoded = unquote_to_bytes(path.replace("+", " ").encode("latin-1")).decode()
    except ValueError:
        raise invalid_argument("Invalid copy source encoding", HEADER, header) from None
    bucket, slash, key = decoded.removeprefix("/").partition("/")
    if not bucket:
        raise _no_bucket(header)
    if not slash or not key:
        raise invalid_argument("Invalid copy source object key", HEADER, header)
    return bucket, key, version_id or None


async def digest_again(
    cx: Context, sources: Iterable[Piece | Sealed | bytes], length: int, algorithms: Iterable[str]
) -> dict[str, bytes]:
    """Digests of bytes that are stored already. Raises NoBlob or FileNotFoundError if they died meanwhile."""
    digests = Digests(algorithms)
    stream = streaming.Stream(cx, sources, length)
    try:
        if length <= SMALL_BODY:
            async for chunk in stream:
                digests.update(bytes(chunk))
        else:
            await cx.blobs.digest(stream, digests)
    finally:
        await stream.aclose()
    return digests.digests()


def _no_bucket(header: str) -> S3Error:
    return invalid_argument("Invalid copy source bucket name", HEADER, header)


def _check(
    version: Version,
    if_match: str | None,
    if_none_match: str | None,
    if_modified_since: int | None,
    if_unmodified_since: int | None,
) -> None:
    """Unlike a GET, a copy that finds nothing modified is refused."""
    if not conditions.is_modified(version, if_match, if_none_match, if_modified_since, if_unmodified_since, PREFIX):
        failed = "If-None-Match" if if_none_match is not None else "If-Modified-Since"
        raise PreconditionFailed(f"{PREFIX}{failed}")
