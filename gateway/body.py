"""The body of a request as plain bytes: framing taken off, each length, digest and signature checked.

A body that was read to its end without an exception is the one the client meant to send. Nothing before
that end is proved yet, so whoever stores it commits only then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from hashlib import sha256

from gateway.auth.chunks import ChunkSignatures
from gateway.auth.payload import EMPTY_SHA256, Payload, compare_sha256
from gateway.request import CHECKSUM_HEADERS, Receive, Request, is_number
from gateway.s3.errors import S3Error

Piece = bytes | memoryview

MAX_UPLOAD_SIZE = 5 * 1024**3
"""What one PutObject or UploadPart may carry: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""

INLINE_HASH_SIZE = 64 * 1024
"""Up to here a SHA-256 costs less than handing the body to a thread."""


class ClientDisconnect(Exception):
    """The client hung up before the end of the body; nobody is left to answer."""


def open_body(request: Request, payload: Payload) -> Body:
    """Raises MissingContentLength for an aws-chunked body that does not say how long it is."""
    if not payload.chunked:
        return Body(request.receive, request.content_length, payload.sha256)
    length = _decoded_length(request)
    promised = _promised_trailers(request) if payload.trailer else ()
    return Body(request.receive, length, None, ChunkDecoder(length, promised, payload))


class Body:
    """Iterate once, or `read`. `length` counts plain bytes, None if unknown; `trailers` come at the end.

    `begun`: it was asked for, so that a client who waits for 100 Continue sends it. `exhausted`: nothing more of
    it is on its way, whether what came was right or not.
    """

    __slots__ = (
        "_decoder",
        "_receive",
        "begun",
        "check_sha256",
        "digest_sha256",
        "exhausted",
        "expected_sha256",
        "length",
        "trailers",
    )

    def __init__(
        self,
        receive: Receive,
        length: int | None,
        expected_sha256: str | None = None,
        decoder: ChunkDecoder | None = None,
    ) -> None:
        self.length = length
        self.expected_sha256 = expected_sha256
        self.check_sha256 = expected_sha256 is not None
        self.digest_sha256: str | None = None
        self.trailers: dict[str, str] = {}
        self._receive = receive
        self.begun = False
        self.exhausted = False
        self._decoder = decoder

    def __aiter__(self) -> AsyncIterator[Piece]:
        return self._plain() if self._decoder is None else self._decoded(self._decoder)

    async def read(self, limit: int) -> bytes:
        """The whole body; past `limit` bytes it is refused with MaxMessageLengthExceeded."""
        if self.length is not None and self.length > limit:
            raise _too_long(limit)
        if self._decoder is None:
            data, more = await self._next()
            if more:
                data = await self._gather(data, limit)
            if self.check_sha256 and len(data) > INLINE_HASH_SIZE:
                return await asyncio.to_thread(self._checked, data)
            return self._checked(data)
        pieces: list[Piece] = []
        size = 0
        async for piece in self:
            size += len(piece)
            if size > limit:
                raise _too_long(limit)
            pieces.append(piece)
        if len(pieces) == 1 and isinstance(pieces[0], bytes):
            return pieces[0]
        return b"".join(pieces)

    def defer_sha256(self) -> bool:
        """Called before reading: the reader will hash a large body itself, say in threads.

        True if it has to, and give the digest to `compare_digest`; a small body is hashed here all the same.
        """
        if self.length is None or self.length > INLINE_HASH_SIZE:
            self.check_sha256 = False
        return self.expected_sha256 is not None and not self.check_sha256

    def compare_digest(self, digest: str) -> None:
        """Raises XAmzContentSHA256Mismatch unless the hex `digest` is the announced one, if one was."""
        self.digest_sha256 = digest
        if self.expected_sha256 is not None:
            compare_sha256(self.expected_sha256, digest)

    async def _gather(self, data: bytes, limit: int) -> bytes:
        """What comes without framing and not in one message, as most bodies do."""
        pieces, size, more = [data], len(data), True
        while more:
            data, more = await self._next()
            pieces.append(data)
            size += len(data)
            if size > limit:
                raise _too_long(limit)
        return b"".join(pieces)

    def _checked(self, data: bytes) -> bytes:
        if self.length is not None and len(data) != self.length:
            raise _wrong_length()
        if self.check_sha256:
            self.compare_digest(sha256(data).hexdigest())
        return data

    async def _plain(self) -> AsyncIterator[Piece]:
        digest = sha256() if self.check_sha256 else None
        received = 0
        more = True
        while more:
            data, more = await self._next()
            if data:
                received += len(data)
                if self.length is not None and received > self.length:
                    raise _wrong_length()
                if digest is not None:
                    digest.update(data)
                yield data
        if self.length is not None and received != self.length:
            raise _wrong_length()
        if digest is not None:
            self.compare_digest(digest.hexdigest())

    async def _decoded(self, decoder: ChunkDecoder) -> AsyncIterator[Piece]:
        more = True
        while more:
            data, more = await self._next()
            for piece in decoder.feed(data):
                yield piece
        decoder.finish()
        self.trailers = decoder.trailers

    async def _next(self) -> tuple[bytes, bool]:
        self.begun = True
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        self.exhausted = not more
        return message.get("body", b""), more


class ChunkDecoder:
    """Takes the aws-chunked framing off, however the bytes are cut; raises S3Error at the first thing amiss.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    """

    __slots__ = (
        "_chunks",
        "_digest",
        "_left",
        "_length",
        "_line",
        "_loose_end",
        "_partial",
        "_promised",
        "_signature",
        "_signatures",
        "_size",
        "_total",
        "_trailer_signature",
        "_with_trailer",
        "trailers",
    )

    def __init__(self, length: int, promised: tuple[str, ...], payload: Payload) -> None:
        self.trailers: dict[str, str] = {}
        self._length = length
        self._promised = promised
        self._signatures: ChunkSignatures | None = payload.signatures
        self._with_trailer = payload.trailer
        self._line: Callable[[bytes], None] | None = self._chunk_head
        self._partial = b""
        self._left = self._size = self._total = self._chunks = 0
        self._digest = sha256()
        self._signature = self._trailer_signature = ""
        self._loose_end = False

    def feed(self, data: bytes) -> list[Piece]:
        """The data among the framing, in slices that share its memory."""
        pieces: list[Piece] = []
        view = memoryview(data)
        at, end = 0, len(data)
        while at < end:
            if self._left:
                stop = min(at + self._left, end)
                piece = view[at:stop]
                if self._signatures is not None:
                    self._digest.update(piece)
                self._left -= stop - at
                pieces.append(piece)
            else:
                stop = self._feed_line(data, at)
            at = stop
        return pieces

    def finish(self) -> None:
        if self._line is not None:
            raise _broken()

    def _feed_line(self, data: bytes, at: int) -> int:
        if self._line is None:
            raise _broken()
        newline = data.find(b"\n", at, at + _MAX_LINE)
        stop = newline + 1 if newline >= 0 else min(len(data), at + _MAX_LINE)
        line = self._partial + data[at:stop]
        if len(line) > _MAX_LINE or (newline < 0 and len(line) == _MAX_LINE):
            raise _broken()
        if newline < 0:
            self._partial = line
        else:
            self._partial = b""
            self._line(line)
        return stop

    def _chunk_head(self, line: bytes) -> None:
        head = line[:-2].decode("latin-1")
        if self._signatures is not None:
            head, _, self._signature = head.partition(";chunk-signature=")
            if len(self._signature) != 64:
                raise _broken()
        if line[-2:] != b"\r\n" or not 0 < len(head) <= 16 or head.strip(_HEX):
            raise _broken()
        size = int(head, 16)
        if not size:
            self._last_chunk()
            return
        self._chunks += 1
        if self._chunks > 1 and self._size < _MIN_CHUNK:
            raise S3Error("InvalidChunkSizeError", fields={"Chunk": str(self._chunks), "BadChunkSize": str(self._size)})
        self._total += size
        if self._total > self._length:
            raise _wrong_length()
        self._left = self._size = size
        self._line = self._chunk_end

    def _chunk_end(self, line: bytes) -> None:
        if line != b"\r\n":
            raise _broken()
        if self._signatures is not None:
            self._signatures.check_chunk(self._digest.hexdigest(), self._signature)
            self._digest = sha256()
        self._line = self._chunk_head

    def _last_chunk(self) -> None:
        if self._total != self._length:
            raise _wrong_length()
        if self._signatures is not None:
            self._signatures.check_chunk(EMPTY_SHA256, self._signature)
        self._line = self._trailer

    def _trailer(self, line: bytes) -> None:
        text = line.rstrip(b"\r\n").decode("latin-1")
        if not text:
            # AWS's own example ends a trailer with \n\r\n: there the empty line is the end of a line.
            if not (self._loose_end and line == b"\r\n"):
                self._end()
            self._loose_end = False
            return
        self._loose_end = not line.endswith(b"\r\n")
        complete = len(self.trailers) == len(self._promised)
        name, colon, value = text.partition(":")
        name = name.strip().lower()
        if not self._with_trailer:
            raise _broken()
        if name in self._promised and colon and name not in self.trailers:
            self.trailers[name] = value.strip(" \t")
        elif name == "x-amz-trailer-signature" and complete and self._signatures and not self._trailer_signature:
            self._trailer_signature = value.strip(" \t")
        elif complete and self._promised:
            raise _broken()
        else:
            raise S3Error("MalformedTrailerError")

    def _end(self) -> None:
        if len(self.trailers) != len(self._promised):
            raise S3Error("MalformedTrailerError")
        if self._with_trailer and self._signatures is not None:
            if len(self._trailer_signature) != 64:
                raise _broken()
            self._signatures.check_trailers(self.trailers, self._trailer_signature)
        self._line = None


_HEX = "0123456789abcdefABCDEF"
_MAX_LINE = 1024
_MIN_CHUNK = 8192


def _decoded_length(request: Request) -> int:
    text = request.headers.get("x-amz-decoded-content-length", "")
    if not is_number(text):
        raise S3Error("MissingContentLength")
    return int(text)


def _promised_trailers(request: Request) -> tuple[str, ...]:
    sent = request.headers.get("x-amz-trailer", "")
    names = dict.fromkeys(name for part in sent.split(",") if (name := part.strip().lower()))
    if not CHECKSUM_HEADERS.issuperset(names):
        raise S3Error("InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
    return tuple(names)


def _broken() -> S3Error:
    return S3Error("IncompleteBody", "The request body terminated unexpectedly")


def _wrong_length() -> S3Error:
    return S3Error(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )


def _too_long(limit: int) -> S3Error:
    return S3Error("MaxMessageLengthExceeded", fields={"MaxMessageLengthBytes": str(limit)})
