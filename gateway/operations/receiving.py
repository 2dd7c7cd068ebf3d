"""A request's body, checked and stored: a small one for the log, a large one in a blob."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from catalog import SMALL_BODY
from catalog.errors import CatalogError
from catalog.records import Checksum, Encryption, Piece
from gateway.blobs import Digests, digest
from gateway.body import Body
from gateway.operations import Context
from gateway.operations.checksums import Promise, encode
from gateway.operations.encryption import Sealing
from gateway.s3.errors import S3Error

MAX_SIZE = 5 * 1024**3
T = TypeVar("T")


@dataclass(slots=True)
class Received:
    """A body that is whole and what it was promised to be: `content` to go into the log, or `piece` in a blob.

    With `encryption` both are sealed already, as `sealing` had it; size and digests are always of what the client sent.
    """

    size: int
    digests: Mapping[str, bytes]
    content: bytes | None = None
    piece: Piece | None = None
    encryption: Encryption | None = None
    sealing: Sealing | None = None

    @property
    def etag(self) -> str:
        md5 = self.digests["MD5"]
        if self.sealing is not None and self.sealing.customer is not None:
            return self.sealing.customer.etag(md5)
        return md5.hex()

    def checksum(self, algorithm: str) -> Checksum:
        return Checksum(algorithm, encode(self.digests[algorithm]))


async def receive(
    cx: Context,
    body: Body,
    promise: Promise,
    algorithm: str,
    commit: Callable[[Received], Awaitable[T]],
    sealing: Sealing | None = None,
) -> T:
    """What `commit` makes of the body, encrypted as `sealing` says; if that is refused, nothing of the body remains.

    Its MD5 is computed, its digest by `algorithm`, and whatever was promised of it.
    """
    if body.length is None and "transfer-encoding" not in cx.request.headers:
        raise S3Error("MissingContentLength")
    check_size(body.length or 0)
    wanted = {"MD5", algorithm, promise.algorithm or algorithm}
    if body.length is None or body.length > SMALL_BODY:
        return await _receive_large(cx, body, promise, wanted, commit, sealing)
    content = await body.read(SMALL_BODY)
    digests = {name: digest(name, content) for name in wanted}
    promise.verify(digests, body.trailers)
    if sealing is not None:
        return await commit(sealed(cx, content, digests, sealing))
    return await commit(Received(len(content), digests, content=content))


def sealed(cx: Context, content: bytes, digests: Mapping[str, bytes], sealing: Sealing) -> Received:
    """A small body. Raises NoKey."""
    hidden, encryption = sealing.seal(cx.blobs.keys, content)
    return Received(len(content), digests, content=hidden, encryption=encryption, sealing=sealing)


async def _receive_large(
    cx: Context,
    body: Body,
    promise: Promise,
    wanted: set[str],
    commit: Callable[[Received], Awaitable[T]],
    sealing: Sealing | None,
) -> T:
    key, encryption = sealing.new_key(cx.blobs.keys) if sealing is not None else (None, None)
    deferred = body.defer_sha256()
    if deferred:
        wanted.add("SHA256")
    received = 0
    async with cx.blobs.new(Digests(wanted), key) as blob:
        async for chunk in body:
            received += len(chunk)
            check_size(received)  # of a chunked body nobody knew it before
            await blob.write(chunk)
        blob_id, size, digests = await blob.finish()
    try:
        if deferred:
            body.compare_digest(digests["SHA256"].hex())
        promise.verify(digests, body.trailers)
        return await commit(Received(size, digests, None, Piece(size, blob=blob_id), encryption, sealing))
    except (CatalogError, S3Error):
        # Refused for certain. After anything else the record may be in the log: then the sweep will know.
        await cx.blobs.drop([blob_id])
        raise


def check_size(size: int) -> None:
    if size > MAX_SIZE:
        raise S3Error("EntityTooLarge", fields={"ProposedSize": str(size), "MaxSizeAllowed": str(MAX_SIZE)})
