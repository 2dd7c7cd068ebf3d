"""The bytes of an object, or a stretch of them, on their way to a client."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence

from catalog import Catalog
from catalog.errors import BodyDamaged
from catalog.records import Piece, Version
from gateway.blobs import BlobReader, digest
from gateway.blobs.reading import CHUNK
from gateway.operations import Context
from gateway.operations.checksums import encode

# How many blobs one answer may hold open ahead of reading them, so that nothing done to the object cuts it short.
OPEN_AHEAD = 1000


class Stream:
    """Iterate once, then `aclose`. `length` is what will come in all."""

    def __init__(self, cx: Context, pieces: Sequence[Piece], length: int) -> None:
        """Raises NoBlob or FileNotFoundError if the object died, or moved, since it was looked up.

        What lies in the log is read at once, for it may be moved: a part of its own size at most, the last one.
        """
        self.length = length
        self._cx = cx
        self._later: deque[Piece | bytes] = deque(
            cx.catalog.read(piece) if piece.blob is None else piece for piece in pieces
        )
        self._opened: deque[BlobReader | bytes] = deque()
        self._open_ahead(at_least=1)

    async def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        async for source in self.sources():
            if isinstance(source, bytes):
                yield source
            else:
                while chunk := await source.read():
                    yield chunk

    async def sources(self) -> AsyncIterator[BlobReader | bytes]:
        """What it is made of, in order; each reader is to be read to its end before the next is asked for."""
        while self._opened:
            source = self._opened[0]
            yield source
            if not isinstance(source, bytes):
                source.close()
            self._opened.popleft()
            self._open_ahead(at_least=1)

    async def aclose(self) -> None:
        for source in self._opened:
            if not isinstance(source, bytes):
                source.close()
        self._opened.clear()
        self._later.clear()

    def _open_ahead(self, at_least: int) -> None:
        while self._later and len(self._opened) < OPEN_AHEAD:
            piece = self._later[0]
            if isinstance(piece, bytes):
                self._opened.append(piece)
            elif len(self._opened) < at_least or not self._cx.blobs.crowded:
                assert piece.blob is not None
                self._opened.append(self._cx.blobs.reader(piece.blob, piece.offset, piece.size))
            else:
                return
            self._later.popleft()


async def read(cx: Context, version: Version, start: int, length: int) -> bytes | memoryview | Stream:
    """Small stretches at once, others as a Stream.

    Raises NoBlob or FileNotFoundError: look the object up again. BodyDamaged: a small body is not what was written.
    """
    if not length:
        return b""
    body = version.body
    if body is not None and body.blob is None:
        content = cx.catalog.read(body, start, length)
        if length == version.size:
            _check(version, body, content)
        return content
    pieces = stretch(cx.catalog, version, start, length)
    stream = Stream(cx, pieces, length)
    if length > CHUNK:
        return stream
    chunks = [chunk async for chunk in stream]
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _check(version: Version, body: Piece, content: bytes) -> None:
    checksum = version.checksum
    if checksum is not None and encode(digest(checksum.algorithm, content)) != checksum.value:
        raise BodyDamaged(f"the body in segment {body.segment} at byte {body.offset} is not what was written")


def stretch(catalog: Catalog, version: Version, start: int, length: int) -> list[Piece]:
    """The pieces that hold these bytes of the object, cut to them. FileNotFoundError: look the object up again."""
    found: list[Piece] = []
    end = start + length
    at, pieces = pieces_about(catalog, version, start, length)
    for piece in pieces:
        first, last = max(start - at, 0), min(end - at, piece.size)
        if first < last:
            whole = first == 0 and last == piece.size
            found.append(piece if whole else Piece(last - first, piece.segment, piece.offset + first, piece.blob))
        at += piece.size
        if at >= end:
            break
    return found


def pieces_about(catalog: Catalog, version: Version, start: int, length: int) -> tuple[int, list[Piece]]:
    """Pieces that hold these bytes and perhaps others, and where in the object the first of them begins."""
    if not version.parts:
        return 0, [version.body] if version.body is not None else []
    covering = catalog.parts_covering(version, start, length)
    return covering.start, [part.piece for part in covering.parts if part.piece is not None]
