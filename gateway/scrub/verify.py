"""Whether bytes are those that were acknowledged: the size, ETag and checksum of each part and of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from catalog.records import Part, Piece, Version
from gateway.blobs.digests import Digests
from gateway.blobs.errors import BlobError, NoKey, WrongKey
from gateway.operations.checksums import FULL_OBJECT, encode, etag_of_parts, whole_of_parts
from gateway.operations.encryption import SSE_C

BLOCK = "block"

# The bytes of a part, block by block. Raises OSError where they cannot be had, BlobError where their sums do not fit.
Read = Callable[[Part], Iterable[bytes]]


@dataclass(frozen=True)
class Fault:
    """`kind` is missing, unreadable, size, etag, checksum or block; `part` is 0 where it is of the whole."""

    kind: str
    detail: str
    part: int = 0
    body: str = ""  # where the bytes lie that it is about


def faults_of(version: Version, read: Read) -> list[Fault]:
    """Of a version with all its parts. What is wrong with the whole is not said where a part is wrong."""
    held = version.parts if isinstance(version.parts, list) else []
    wanted = set() if "-" in version.etag else {"MD5"}
    check = version.checksum
    if check is not None and check.kind == FULL_OBJECT:
        wanted.add(check.algorithm)
    whole = Digests(wanted)
    parts = held or [Part(0, version.size, "", 0, version.body, encryption=version.encryption)]
    found = [fault for part in parts for fault in faults_of_part(part, read, whole)]
    if any(fault.kind != BLOCK for fault in found) or any(map(is_closed, parts)):
        return found
    return _with_blocks(_faults_of_whole(version, held, whole.digests()), found)


def faults_of_part(part: Part, read: Read, whole: Digests | None = None) -> list[Fault]:
    """The bytes go through the digests of the `whole` too."""
    own = Digests({"MD5"} if part.etag else ())
    check = part.checksum
    checked = Digests({check.algorithm} if check is not None else ())
    size = 0
    damaged = []
    try:
        for block in read(part) if part.piece is not None else ():
            size += len(block)
            for digests in (own, checked, whole):
                if digests is not None:
                    digests.update(block)
    except NoKey as error:
        return [Fault("unreadable", str(error), part.number, place(part.piece))]
    except WrongKey:
        return [Fault("etag", "it is not what was sealed", part.number, place(part.piece))]
    except BlobError as error:  # when all was read
        damaged.append(Fault(BLOCK, str(error), part.number, place(part.piece)))
    except FileNotFoundError as error:
        return [Fault("missing", f"{error.filename or error} is not there", part.number, place(part.piece))]
    except OSError as error:
        return [Fault("unreadable", str(error), part.number, place(part.piece))]
    if is_closed(part):
        return damaged
    if size != part.size:
        return [Fault("size", f"{size} bytes of {part.size} are there", part.number, place(part.piece))]
    found = []
    if part.etag and (md5 := own.digests()["MD5"].hex()) != part.etag:
        found.append(Fault("etag", f"{part.etag} is {md5} by its bytes", part.number, place(part.piece)))
    if check is not None:
        value = encode(checked.digests()[check.algorithm])
        found += _compared(check.algorithm, check.value, value, part.number, part.piece)
    return _with_blocks(found, damaged)


def is_closed(part: Part) -> bool:
    """Whether only a client has the key: of its bytes no more than their sums can be checked."""
    return part.encryption is not None and part.encryption.kind == SSE_C


def _with_blocks(found: list[Fault], damaged: list[Fault]) -> list[Fault]:
    """What is wrong with the bytes, and where; or the blocks alone, if it is their sums that are wrong."""
    if not found:
        return damaged
    places = "".join(f": {each.detail}" for each in damaged)
    return [replace(each, detail=each.detail + places) for each in found]


def place(piece: Piece | None) -> str:
    """Where bytes lie within the data folder; "" for none."""
    if piece is None:
        return ""
    if piece.blob is None:
        return f"log/{piece.segment:016x}.log:{piece.offset}"
    return f"blobs/{piece.blob.hex()[:2]}/{piece.blob.hex()}"


def _faults_of_whole(version: Version, parts: list[Part], digests: dict[str, bytes]) -> list[Fault]:
    found = []
    size = sum(part.size for part in parts)
    if parts and size != version.size:
        found.append(Fault("size", f"{version.size} bytes, of which its parts have {size}"))
    etag = digests["MD5"].hex() if "MD5" in digests else etag_of_parts(parts, len(parts))
    if etag != version.etag:
        found.append(Fault("etag", f"{version.etag} is {etag} by its bytes", body=place(version.body)))
    check = version.checksum
    if check is not None:
        if check.kind == FULL_OBJECT:
            value = encode(digests[check.algorithm])
        else:
            value = whole_of_parts(check.algorithm, check.kind, parts).value
        found += _compared(check.algorithm, check.value, value, 0, version.body)
    return found


def _compared(algorithm: str, kept: str, found: str, part: int, piece: Piece | None) -> list[Fault]:
    if kept == found:
        return []
    return [Fault("checksum", f"{algorithm} {kept} is {found} by the bytes", part, place(piece))]
