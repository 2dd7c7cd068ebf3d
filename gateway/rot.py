"""Bodies that were found damaged when somebody read them: noted in the data folder, until a scrub finds them sound.

A small file each, named by what it says, so that several workers may note the same at once.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

import msgspec

from catalog import Catalog
from catalog.errors import BodyDamaged, CatalogError
from catalog.records import Piece, Version
from gateway.blobs.errors import BlobCut, BlobDamaged
from gateway.logging import log
from gateway.operations.sources import HEADER, read_header
from gateway.request import Request
from gateway.scrub.verify import place

FOLDER = "damaged"
MOST = 1000  # that are noted: who has more will scrub anyway
SUFFIX = ".json"


class Rotten(msgspec.Struct, frozen=True, omit_defaults=True):
    """`body` is where the bytes lie, "" where that is not known of an object in parts."""

    bucket: str
    key: str
    version_id: str
    body: str
    detail: str

    @property
    def named(self) -> str:
        """For those who may know of buckets and keys."""
        version = f" version {self.version_id}" if self.version_id else ""
        where = f" in {self.body}" if self.body else ""
        return f"{self.bucket}/{self.key}{version}{where}: {self.detail}"

    @property
    def file(self) -> str:
        named = (self.bucket, self.key, self.version_id, self.body)
        return sha256("\0".join(named).encode()).hexdigest()[:32] + SUFFIX


def is_rot(request: Request, failure: Exception) -> bool:
    """Whether a request failed because of what lies on the disk: one that only reads can have no other EIO."""
    if isinstance(failure, OSError):
        return failure.errno == errno.EIO and request.method == "GET"
    return isinstance(failure, BodyDamaged | BlobDamaged | BlobCut)


def note(catalog: Catalog, data: Path, request: Request, failure: Exception) -> None:
    """Of the object that was read, unless it was overwritten or deleted meanwhile. Tells the log where it cannot."""
    try:
        found = _found(catalog, request, failure)
        if found is not None:
            _keep(data / FOLDER, found)
    except (CatalogError, OSError) as problem:
        log.warning("what was found damaged cannot be noted: %r", problem)


def noted(data: Path) -> list[Rotten]:
    return [found for _, found in sorted(_read(data / FOLDER))]


def names(data: Path) -> tuple[str, ...]:
    """Of the notes: others are there exactly where these are others."""
    try:
        return tuple(sorted(path.name for path in (data / FOLDER).iterdir()))
    except FileNotFoundError:
        return ()


def forget(data: Path, found: Rotten) -> None:
    (data / FOLDER / found.file).unlink(missing_ok=True)


def _found(catalog: Catalog, request: Request, failure: Exception) -> Rotten | None:
    if request.bucket is None or request.key is None:
        return None
    bucket, key, version_id = request.bucket, request.key, request.query.get("versionId")
    if request.method != "GET" and HEADER in request.headers:
        bucket, key, version_id = read_header(request.headers[HEADER])
    version = catalog.whole(catalog.get(catalog.bucket(bucket), key, version_id))
    piece = _piece(version, failure)
    if piece is None and not isinstance(failure, OSError | BodyDamaged):
        return None
    return Rotten(bucket, key, version.version_id, place(piece), str(failure))


def _piece(version: Version, failure: Exception) -> Piece | None:
    if isinstance(failure, BlobDamaged | BlobCut):
        return next((piece for piece in pieces(version) if piece.blob == failure.blob), None)
    if isinstance(failure, BodyDamaged) and failure.piece is not None:
        return failure.piece
    return version.body


def pieces(version: Version) -> Iterator[Piece]:
    """Of a version with all its parts."""
    if version.body is not None:
        yield version.body
    if isinstance(version.parts, list):
        yield from (part.piece for part in version.parts if part.piece is not None)


def _keep(folder: Path, found: Rotten) -> None:
    path = folder / found.file
    if path.exists():
        return
    folder.mkdir(exist_ok=True)
    if sum(1 for _ in folder.glob(f"*{SUFFIX}")) < MOST:
        draft = path.with_suffix(f".{token_hex(4)}.new")
        draft.write_bytes(msgspec.json.encode(found))
        draft.rename(path)


def _read(folder: Path) -> Iterator[tuple[str, Rotten]]:
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError, msgspec.DecodeError):  # forgotten just now; cut by a loss of power
            yield path.name, msgspec.json.decode(path.read_bytes(), type=Rotten)
