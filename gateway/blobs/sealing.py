"""Bodies sealed by a key of their own: AES-256-GCM of each 64 KiB, so that any stretch can be read by itself.

In a blob each block is followed by its tag; of a small body, which is one block, who stores it keeps the tag. No key
ever seals two bodies, so a block's number is nonce enough: https://csrc.nist.gov/pubs/sp/800/38/d/final
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import Executor

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.blobs.digests import Data
from gateway.blobs.errors import BlobDamaged, WrongKey
from gateway.blobs.reading import NO_WAIT, UNABLE
from gateway.blobs.sums import fill

BLOCK = 64 << 10
TAG = 16
SEALED = BLOCK + TAG
NEAR = 2 * BLOCK  # no more than that is opened on the event loop: 64 KiB take 20 µs
STEP = 1 << 20  # what a thread opens at a time


def seal(key: bytes, content: bytes) -> tuple[bytes, bytes]:
    """A small body, sealed, and its tag."""
    sealed = AESGCM(key).encrypt(_nonce(0), content, None)
    return sealed[:-TAG], sealed[-TAG:]


def unseal(key: bytes, content: bytes, tag: bytes) -> bytes:
    """Raises WrongKey: these are not the bytes that were sealed."""
    try:
        return AESGCM(key).decrypt(_nonce(0), content + tag, None)
    except InvalidTag:
        raise WrongKey from None


def size_of_sealed(size: int) -> int:
    """Bytes that a blob has of a body of that size."""
    return size + TAG * -(-size // BLOCK)


def size_of_plain(sealed: int) -> int:
    """Bytes of the body that a blob has, sealed."""
    return max(0, sealed - TAG * -(-sealed // SEALED))


def around(start: int, stop: int) -> tuple[int, int]:
    """The first sealed block of a stretch of a body, and the one behind its last."""
    return start // BLOCK, -(-stop // BLOCK)


class Sealer:
    """Of a body in order, however it is cut."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._number = 0
        self._rest = b""

    def update(self, data: Data) -> bytes:
        """What of it can be sealed by now: whole blocks."""
        view = memoryview(data)
        done = []
        if self._rest:
            room = BLOCK - len(self._rest)
            self._rest += view[:room]
            view = view[room:]
            if len(self._rest) < BLOCK:
                return b""
            done.append(self._seal(self._rest))
        whole = len(view) - len(view) % BLOCK
        done += [self._seal(view[at : at + BLOCK]) for at in range(0, whole, BLOCK)]
        self._rest = bytes(view[whole:])
        return b"".join(done)

    def finish(self) -> bytes:
        """The last block, if anything is left for it."""
        rest, self._rest = self._rest, b""
        return self._seal(rest) if rest else b""

    def _seal(self, block: Data) -> bytes:
        number, self._number = self._number, self._number + 1
        return self._cipher.encrypt(_nonce(number), block, None)


class Opener:
    """Of the blocks of one body, by number."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def open(self, number: int, block: Data) -> bytes | None:
        """None: it is not what was sealed."""
        try:
            return self._cipher.decrypt(_nonce(number), block, None)
        except InvalidTag:
            return None

    def blocks(self, first: int, sealed: memoryview) -> Iterator[tuple[int, bytes | None]]:
        """Each of several in a row, with its number."""
        for number, at in enumerate(range(0, len(sealed), SEALED), first):
            yield number, self.open(number, sealed[at : at + SEALED])


class SealedReader:
    """The bytes `start` to `start + length` of a sealed blob, by an open descriptor that this owns from now on."""

    __slots__ = ("_ahead", "_blob", "_end", "_file", "_no_wait", "_opener", "_pool", "_position", "_stored")

    def __init__(
        self, blob: bytes, file: int, stored: int, key: bytes, start: int, length: int, pool: Executor
    ) -> None:
        """`stored` are the bytes that the blob has, sealed."""
        self._blob = blob
        self._file = file
        self._stored = stored
        self._opener = Opener(key)
        self._position = start
        self._end = start + length
        self._pool = pool
        self._no_wait = NO_WAIT
        self._ahead: bytes | memoryview = b""

    async def verify(self) -> None:
        """What `read` gives next is sound. Raises BlobDamaged, BlobCut, OSError."""
        if not self._ahead:
            self._ahead = await self._next()

    async def read(self) -> bytes | memoryview:
        """The next bytes, as many as come at once; b"" at the end. Raises as `verify`."""
        data, self._ahead = self._ahead or await self._next(), b""
        return data

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    async def _next(self) -> bytes | memoryview:
        start = self._position
        if start >= self._end:
            return b""
        if self._end - start <= NEAR and self._no_wait:
            try:
                self._position = self._end
                return self._take(start, self._end, self._no_wait)
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in UNABLE:
                    raise
                self._no_wait = 0
        self._position = min(self._end, start - start % STEP + STEP)
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._take, start, self._position, 0)

    def _take(self, start: int, stop: int, flags: int) -> bytes | memoryview:
        first, last = around(start, stop)
        sealed = memoryview(bytearray(min(last * SEALED, self._stored) - first * SEALED))
        fill(self._blob, self._file, sealed, first * SEALED, flags)
        opened = []
        for number, block in self._opener.blocks(first, sealed):
            if block is None:
                raise BlobDamaged(self._blob, number * SEALED, min((number + 1) * SEALED, self._stored))
            opened.append(block)
        whole = memoryview(opened[0] if len(opened) == 1 else b"".join(opened))
        return whole[start - first * BLOCK : stop - first * BLOCK]


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
