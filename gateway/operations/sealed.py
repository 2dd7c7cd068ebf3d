"""What is encrypted of an object, on its way to a reader who has the keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from catalog import Catalog
from catalog.errors import BodyDamaged
from catalog.records import Encryption, Part, Piece, Version
from gateway.blobs.errors import WrongKey
from gateway.blobs.sealing import unseal
from gateway.operations.encryption import Unwrap


@dataclass(frozen=True, slots=True)
class Sealed:
    """A stretch of what a blob holds, and the key it was sealed by."""

    blob: bytes
    key: bytes = field(repr=False)
    start: int
    length: int


def opened(
    catalog: Catalog, piece: Piece | None, encryption: Encryption | None, first: int, last: int, unwrap: Unwrap
) -> Sealed | bytes:
    """The bytes from `first` to `last` of a body. Raises BodyDamaged, NoKey, FileNotFoundError."""
    assert piece is not None and encryption is not None
    key = unwrap(encryption)
    if piece.blob is not None:
        return Sealed(piece.blob, key, piece.offset + first, last - first)
    try:
        return unseal(key, catalog.read(piece), encryption.tag)[first:last]
    except WrongKey:
        what = f"the body in segment {piece.segment} at byte {piece.offset} is not what was sealed"
        raise BodyDamaged(what, piece) from None


def opened_parts(
    catalog: Catalog, at: int, parts: Iterable[Part], start: int, end: int, unwrap: Unwrap
) -> Iterator[Sealed | bytes]:
    """What of the parts, which begin at `at`, is between start and end."""
    for part in parts:
        first, last = max(start - at, 0), min(end - at, part.size)
        if first < last:
            yield opened(catalog, part.piece, part.encryption, first, last, unwrap)
        at += part.size
        if at >= end:
            return


def shareable(catalog: Catalog, version: Version, start: int, length: int) -> tuple[Piece, Encryption | None] | None:
    """The one piece that holds these bytes, where another may name it too: of one that is sealed in the log the whole.

    FileNotFoundError: look the object up again.
    """
    end = start + length
    found = []
    for at, part in _parts_at(catalog, version, start, length):
        first, last = max(start - at, 0), min(end - at, part.size)
        piece = part.piece
        if first < last and piece is not None:
            if last - first < part.size:
                if piece.blob is None and part.encryption is not None:
                    return None
                piece = Piece(last - first, piece.segment, piece.offset + first, piece.blob)
            found.append((piece, part.encryption))
    return found[0] if len(found) == 1 else None


def _parts_at(catalog: Catalog, version: Version, start: int, length: int) -> Iterator[tuple[int, Part]]:
    """With where each begins."""
    if not version.parts:
        yield 0, Part(1, version.size, "", 0, version.body, encryption=version.encryption)
        return
    for group in catalog.parts_covering(version, start, length):
        at = group.start
        for part in group.parts():
            yield at, part
            at += part.size
