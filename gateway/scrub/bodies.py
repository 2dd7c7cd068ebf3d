"""The bytes of parts as who reads them gets them: those that are encrypted opened, where the server has the key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from catalog import Catalog
from catalog.records import Part, Piece
from gateway.blobs import Blobs
from gateway.blobs.errors import BlobDamaged, BlobError
from gateway.blobs.mending import aside
from gateway.blobs.sealing import BLOCK, SEALED, TAG, Opener, Sealer, around, seal, unseal
from gateway.blobs.sums import size_of_body
from gateway.operations.encryption import server_unwrap
from gateway.scrub.reading import blocks, checked
from gateway.scrub.verify import is_closed


class Bodies:
    """`spent` is called with each block that was read, as it lies on the disk."""

    def __init__(self, catalog: Catalog, blobs: Blobs, spent: Callable[[bytes], bytes]) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._unwrap = server_unwrap(blobs.keys)
        self._spent = spent

    def checked(self, part: Part) -> Iterator[bytes]:
        """With the sums of a blob's blocks. Of what only a client can open nothing comes: it is no more than summed."""
        return self._bytes(part, lambda path, blob, at, size: checked(path, blob, at, size))

    def read(self, part: Part) -> Iterator[bytes]:
        return self._bytes(part, lambda path, blob, at, size: blocks(path, at, size))

    def read_from(self, part: Part, path: Path, offset: int) -> Iterator[bytes]:
        """From where somebody else keeps the same body: the same file, or a log with the same segment."""
        piece = part.piece
        assert piece is not None
        if part.encryption is None or piece.blob is None:
            raw = self._spend(blocks(path, offset, piece.size))
            return self._unsealed(part, raw) if part.encryption is not None else raw
        return self._opened(part, piece, path, lambda path, blob, at, size: blocks(path, at, size))

    def sealed(self, part: Part, content: Iterable[bytes]) -> Iterator[bytes]:
        """As it lies on the disk, from what who reads it gets: nothing else than the first time comes of it."""
        assert part.encryption is not None and part.piece is not None
        key = self._unwrap(part.encryption)
        if part.piece.blob is None:
            yield seal(key, b"".join(content))[0]
            return
        sealer = Sealer(key)
        for block in content:
            yield sealer.update(block)
        yield sealer.finish()

    def _bytes(self, part: Part, read: Callable[[Path, bytes, int, int], Iterator[bytes]]) -> Iterator[bytes]:
        piece = part.piece
        if piece is None:
            return
        if piece.blob is None:
            raw = self._spend([self._catalog.read(piece)])
            yield from self._unsealed(part, raw) if part.encryption is not None else raw
            return
        path = self._blobs.path(piece.blob)
        try:
            if part.encryption is not None:
                yield from self._opened(part, piece, path, read)
            else:
                yield from self._spend(read(path, piece.blob, piece.offset, piece.size))
        except FileNotFoundError:
            if aside(self._blobs, piece.blob).exists():
                raise OSError(f"{path} was set aside: its bytes are wrong") from None
            raise

    def _spend(self, raw: Iterable[bytes]) -> Iterator[bytes]:
        return (self._spent(block) for block in raw)

    def _unsealed(self, part: Part, raw: Iterable[bytes]) -> Iterator[bytes]:
        """A small body. Raises WrongKey where it was damaged."""
        content = b"".join(raw)
        if part.encryption is not None and not is_closed(part):
            yield unseal(self._unwrap(part.encryption), content, part.encryption.tag)

    def _opened(
        self, part: Part, piece: Piece, path: Path, read: Callable[[Path, bytes, int, int], Iterator[bytes]]
    ) -> Iterator[bytes]:
        """Zeros in the place of what cannot be opened, and BlobDamaged once all was read."""
        assert piece.blob is not None and part.encryption is not None
        stop = piece.offset + piece.size
        first, last = around(piece.offset, stop)
        end = min(last * SEALED, size_of_body(piece.blob, path.stat().st_size))
        raw = self._spend(read(path, piece.blob, first * SEALED, end - first * SEALED))
        if is_closed(part):
            for _ in raw:
                pass
            return
        opener = Opener(self._unwrap(part.encryption))
        damage: BlobError | None = None
        number = first
        for block in _regrouped(raw):
            if isinstance(block, BlobError):
                damage = block
                break
            opened = opener.open(number, block)
            if opened is None:
                opened = bytes(max(0, len(block) - TAG))
                damage = BlobDamaged(piece.blob, number * SEALED, number * SEALED + len(block))
            at = number * BLOCK
            yield opened[max(0, piece.offset - at) : max(0, stop - at)]
            number += 1
        if damage is not None:
            raise damage


def _regrouped(raw: Iterable[bytes]) -> Iterator[bytes | BlobError]:
    """Sealed blocks, then what was wrong with their sums."""
    buffer = bytearray()
    damage: BlobError | None = None
    try:
        for piece in raw:
            buffer += piece
            while len(buffer) >= SEALED:
                yield bytes(buffer[:SEALED])
                del buffer[:SEALED]
    except BlobError as error:
        damage = error
    if buffer:
        yield bytes(buffer)
    if damage is not None:
        yield damage


def is_whole(part: Part, path: Path) -> bool:
    """Whether the part is all that the file of its blob holds, as far as one can tell."""
    piece = part.piece
    assert piece is not None and piece.blob is not None
    try:
        stored = size_of_body(piece.blob, path.stat().st_size)
    except FileNotFoundError:
        return piece.offset == 0
    return piece.offset == 0 and stored <= -(-piece.size // BLOCK) * SEALED
