"""Bytes that are stored already, stored once more: in one piece, or otherwise encrypted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from catalog import SMALL_BODY
from catalog.errors import CatalogError
from catalog.records import Piece
from gateway.blobs import Digests, digest
from gateway.operations import Context
from gateway.operations.encryption import Sealing
from gateway.operations.receiving import Received, sealed
from gateway.operations.sealed import Sealed
from gateway.operations.streaming import Stream
from gateway.s3.errors import S3Error

T = TypeVar("T")


async def rewrite(
    cx: Context,
    sources: Iterable[Piece | Sealed | bytes],
    length: int,
    algorithms: set[str],
    sealing: Sealing | None,
    commit: Callable[[Received], Awaitable[T]],
) -> T:
    """What `commit` makes of the bytes, encrypted as `sealing` says; if that is refused, nothing of them remains.

    Raises NoBlob or FileNotFoundError if they died meanwhile.
    """
    stream = Stream(cx, sources, length)
    try:
        received = await (_small if length <= SMALL_BODY else _large)(cx, stream, algorithms, sealing)
    finally:
        await stream.aclose()
    try:
        return await commit(received)
    except (CatalogError, S3Error):
        if received.piece is not None and received.piece.blob is not None:
            await cx.blobs.drop([received.piece.blob])
        raise


async def _small(cx: Context, stream: Stream, algorithms: set[str], sealing: Sealing | None) -> Received:
    content = b"".join([chunk async for chunk in stream])
    digests = {name: digest(name, content) for name in algorithms}
    return sealed(cx, content, digests, sealing) if sealing else Received(len(content), digests, content=content)


async def _large(cx: Context, stream: Stream, algorithms: set[str], sealing: Sealing | None) -> Received:
    key, encryption = sealing.new_key(cx.blobs.keys) if sealing else (None, None)
    async with cx.blobs.new(Digests(algorithms), key) as blob:
        async for chunk in stream:
            await blob.write(chunk)
        blob_id, size, digests = await blob.finish()
    return Received(size, digests, None, Piece(size, blob=blob_id), encryption, sealing)
