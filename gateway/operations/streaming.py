"""The bytes of an object, or a stretch of them, on their way to a client."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import chain

from catalog import Catalog
from catalog.errors import BodyDamaged
from catalog.records import Checksum, Part, Piece, Version
from gateway.blobs import BlobReader, SealedReader, digest
from gateway.blobs.errors import NoBlob
from gateway.blobs.reading import CHUNK
from gateway.operations import Context
from gateway.operations.checksums import encode
from gateway.operations.encryption import Unwrap
from gateway.operations.sealed import Sealed, opened, opened_parts

# How many blobs one answer may hold open ahead of reading them, so that nothing done to the object cuts it short.
OPEN_AHEAD = 1000
MD5_LENGTH = 32  # in hexadecimal
AT_ONCE = 32  # that are opened in one go: the rest follows while the first are sent


class Stream:
    """Iterate once, then `aclose`. `length` is what will come in all."""

    def __init__(self, cx: Context, pieces: Iterable[Piece | Sealed | bytes], length: int) -> None:
        """`pieces` are of blobs, or the bytes themselves. Raises NoBlob if the first died since they were looked up."""
        self.length = length
        self._cx = cx
        self._later = iter(pieces)
        self._opened: deque[BlobReader | SealedReader | bytes | NoBlob] = deque()
        self._opening: asyncio.Handle | None = None
        self._open_ahead(AT_ONCE)

    async def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        async for source in self.sources():
            if isinstance(source, bytes | memoryview):
                yield source
            else:
                while chunk := await source.read():
                    yield chunk

    async def sources(self) -> AsyncIterator[BlobReader | bytes | memoryview]:
        """What it is made of, in order; each reader is to be read to its end before the next is asked for."""
        while self._opened:
            self._go_on()
            source = self._opened[0]
            if isinstance(source, NoBlob):
                raise source
            if isinstance(source, SealedReader):
                while chunk := await source.read():
                    yield chunk
            else:
                yield source
            if not isinstance(source, bytes):
                source.close()
            self._opened.popleft()
            if not self._opened:
                self._open_ahead(AT_ONCE)

    async def begin(self) -> None:
        """Verify what comes first, while nothing of it was sent yet; where that fails the stream is closed."""
        try:
            if self._opened and isinstance(first := self._opened[0], BlobReader | SealedReader):
                await first.verify()
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        for source in self._opened:
            if isinstance(source, BlobReader | SealedReader):
                source.close()
        self._opened.clear()
        self._later = iter(())

    def _go_on(self) -> None:
        """Open the next ones, a few in each turn of the event loop."""
        if self._opening is None and len(self._opened) + AT_ONCE <= OPEN_AHEAD:
            self._opening = asyncio.get_running_loop().call_soon(self._open_more)

    def _open_more(self) -> None:
        self._opening = None
        before = len(self._opened)
        try:
            self._open_ahead(before + AT_ONCE)
        except NoBlob as gone:
            self._opened.append(gone)  # told when it is its turn: what comes before it is there
            self._later = iter(())
        if len(self._opened) == before + AT_ONCE:
            self._go_on()

    def _open_ahead(self, most: int) -> None:
        """Up to so many in all; one in any case, more if there are descriptors to spare."""
        while len(self._opened) < most and not (self._opened and self._cx.blobs.crowded):
            piece = next(self._later, None)
            if piece is None:
                return
            if isinstance(piece, bytes):
                self._opened.append(piece)
            elif isinstance(piece, Sealed):
                self._opened.append(self._cx.blobs.sealed_reader(piece.blob, piece.key, piece.start, piece.length))
            else:
                assert piece.blob is not None
                self._opened.append(self._cx.blobs.reader(piece.blob, piece.offset, piece.size))


async def read(
    cx: Context, version: Version, start: int, length: int, unwrap: Unwrap | None = None
) -> bytes | memoryview | Stream:
    """Small stretches at once, others as a Stream. `unwrap` gives the keys of what is encrypted.

    Raises NoBlob or FileNotFoundError: look the object up again. BodyDamaged, BlobDamaged, BlobCut: it is not what was
    written; of a Stream this is found out of what comes first, and of the rest when it is its turn.
    """
    if not length:
        return b""
    body = version.body
    if unwrap is None and body is not None and body.blob is None:
        content = cx.catalog.read(body)
        _check(body, content, version.checksum, version.etag)
        return content if length == version.size else content[start : start + length]
    stream = Stream(cx, sources(cx.catalog, version, start, length, unwrap), length)
    if length > CHUNK:
        await stream.begin()
        return stream
    try:
        chunks = [chunk async for chunk in stream]
    finally:
        await stream.aclose()
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _check(body: Piece, content: bytes, checksum: Checksum | None, etag: str) -> None:
    """Without a checksum by the ETag, if that is the MD5 of the bytes."""
    if checksum is not None:
        sound = encode(digest(checksum.algorithm, content)) == checksum.value
    else:
        sound = len(etag) != MD5_LENGTH or digest("MD5", content).hex() == etag
    if not sound:
        raise BodyDamaged(f"the body in segment {body.segment} at byte {body.offset} is not what was written", body)


def sources(
    catalog: Catalog, version: Version, start: int, length: int, unwrap: Unwrap | None = None
) -> Iterator[Piece | Sealed | bytes]:
    """What holds these bytes of the object, cut to them; of ten thousand parts a hundred are decoded at a time.

    Raises FileNotFoundError, at once: look the object up again. BodyDamaged, as `read`.
    """
    if not length:
        return iter(())
    end = start + length
    if not version.parts:
        if unwrap is not None:
            return iter([opened(catalog, version.body, version.encryption, start, end, unwrap)])
        return iter(small_read(catalog, stretch(catalog, version, start, length)))
    *groups, last = catalog.parts_covering(version, start, length)
    parts = last.parts()
    if unwrap is not None:
        rest = list(opened_parts(catalog, last.start, parts, start, end, unwrap))
        before = (opened_parts(catalog, group.start, group.parts(), start, end, unwrap) for group in groups)
        return chain(chain.from_iterable(before), rest)
    _check_small(catalog, last.start, parts, start, end)
    tail = small_read(catalog, cut(last.start, parts, start, end))
    return chain(chain.from_iterable(cut(group.start, group.parts(), start, end) for group in groups), tail)


def _check_small(catalog: Catalog, at: int, parts: Iterable[Part], start: int, end: int) -> None:
    """What the disk changed in the log cannot be set aside, as a file can: it is found out at each read."""
    for part in parts:
        piece = part.piece
        if piece is not None and piece.blob is None and at < end and start < at + part.size:
            _check(piece, catalog.read(piece), part.checksum, part.etag)
        at += part.size


def small_read(catalog: Catalog, pieces: Iterable[Piece]) -> list[Piece | bytes]:
    """With the bytes of what lies in the log, for it may be moved: a part of its own size at most, the last one."""
    return [catalog.read(piece) if piece.blob is None else piece for piece in pieces]


def stretch(catalog: Catalog, version: Version, start: int, length: int) -> list[Piece]:
    """The pieces that hold these bytes of the object, cut to them. FileNotFoundError: look the object up again."""
    end = start + length
    if not version.parts:
        return list(cut_pieces(0, [version.body] if version.body is not None else [], start, end))
    groups = catalog.parts_covering(version, start, length)
    return [piece for group in groups for piece in cut(group.start, group.parts(), start, end)]


def cut(at: int, parts: Iterable[Part], start: int, end: int) -> Iterator[Piece]:
    return cut_pieces(at, (part.piece for part in parts if part.piece is not None), start, end)


def cut_pieces(at: int, pieces: Iterable[Piece], start: int, end: int) -> Iterator[Piece]:
    """What of the pieces, which begin at `at`, is between start and end."""
    for piece in pieces:
        first, last = max(start - at, 0), min(end - at, piece.size)
        if first < last:
            whole = first == 0 and last == piece.size
            yield piece if whole else Piece(last - first, piece.segment, piece.offset + first, piece.blob)
        at += piece.size
        if at >= end:
            return
