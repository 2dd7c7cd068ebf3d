"""Bodies that the disk has lost or changed: had again from a backup, or from another body of the same content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog import Catalog
from catalog.backup import place_of
from catalog.database.client import Reached, fetch
from catalog.database.frames import Sql, Value
from catalog.errors import CatalogError
from catalog.records import Part, Piece, Version
from gateway.blobs import Blobs
from gateway.blobs.digests import Digests
from gateway.blobs.errors import BlobError
from gateway.blobs.mending import replace, set_aside
from gateway.blobs.sealing import size_of_sealed
from gateway.operations.checksums import FULL_OBJECT, encode
from gateway.scrub.bodies import Bodies, is_whole
from gateway.scrub.database import Database
from gateway.scrub.verify import Fault, is_closed, place

MOST = 100  # versions that are asked whether they have the same content


@dataclass(frozen=True)
class Source:
    """Bytes that may be those of a body; `whole` is a file that is the same blob."""

    name: str
    content: Iterable[bytes]
    whole: Path | None = None


def parts_of(version: Version) -> list[Part]:
    """Those of a version; the body of one that has none as such, with what is known of its bytes."""
    if isinstance(version.parts, list):
        return version.parts
    check = version.checksum if version.checksum is not None and version.checksum.kind == FULL_OBJECT else None
    etag = "" if "-" in version.etag else version.etag
    return [Part(0, version.size, etag, 0, version.body, check, version.encryption)]


def is_rotten(part: Part, faults: list[Fault]) -> bool:
    """Whether nothing that is kept of the bytes is true of those that are there."""
    kinds = {fault.kind for fault in faults if fault.part == part.number and fault.body}
    kept = {"etag"} if part.etag else set()
    if part.checksum is not None:
        kept.add("checksum")
    return bool(kept) and kinds == kept


class Restorer:
    def __init__(self, catalog: Catalog, blobs: Blobs, database: Database, bodies: Bodies, backup: Path | None) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._database = database
        self._bodies = bodies
        self._backup = backup

    def restore(self, part: Part, whole: int) -> str | None:
        """Put back the bytes of a part, of which there must be a digest; where they were had from, None if nowhere.

        `whole` is how many bytes the object has that it is a part of.
        """
        if part.piece is None or not (part.etag or part.checksum) or is_closed(part):
            return None
        for source in self._sources(part, part.piece, whole):
            try:
                if self._taken(part, part.piece, source):
                    return source.name
            except (OSError, BlobError):  # the next may be readable; a full disk takes none
                continue
        return None

    def give_up(self, part: Part) -> None:
        """Never serve it again. One in the log cannot be set aside: it is held against its checksum when it is read."""
        if part.piece is not None and part.piece.blob is not None:
            set_aside(self._blobs, part.piece.blob)

    def _sources(self, part: Part, piece: Piece, whole: int) -> Iterator[Source]:
        if piece.blob is not None:  # proved by their digests, for all that the sums of the blocks say
            yield Source(f"its own bytes in {place(piece)}", self._bodies.read(part))
        if self._backup is not None and (found := place_of(self._backup, piece)) is not None:
            path, offset = found
            yield Source(str(path), self._bodies.read_from(part, path, offset), path if piece.blob else None)
        for name, other in self._others(part, whole):
            if other.piece != piece:
                yield Source(name, self._bodies.read(other))

    def _taken(self, part: Part, piece: Piece, source: Source) -> bool:
        check = part.checksum
        digests = Digests({"MD5"} | ({check.algorithm} if check is not None else set()))
        size = 0

        def content() -> Iterator[bytes]:
            nonlocal size
            for block in source.content:
                size += len(block)
                digests.update(block)
                yield block

        def sound() -> bool:
            found = digests.digests()
            return (
                size == part.size
                and part.etag in ("", found["MD5"].hex())
                and (check is None or encode(found[check.algorithm]) == check.value)
            )

        if piece.blob is not None and part.encryption is not None:
            if not is_whole(part, source.whole or self._blobs.path(piece.blob)):
                return False
            stored, length = self._bodies.sealed(part, content()), size_of_sealed(piece.size)
            return replace(self._blobs, piece.blob, 0, length, stored, sound, source.whole)
        if piece.blob is not None:
            return replace(self._blobs, piece.blob, piece.offset, piece.size, content(), sound, source.whole)
        taken = b"".join(content() if part.encryption is None else self._bodies.sealed(part, content()))
        if not sound():
            return False
        self._catalog.restore(piece, taken)
        return True

    def _others(self, part: Part, whole: int) -> Iterator[tuple[str, Part]]:
        """Bodies that have the same size and ETag, by what the catalog says of them."""
        seen: set[Piece] = set()
        for bucket, key, version_id, upload_id in self._database.ask(_asked, part, whole):
            try:
                held = self._parts(bucket, key, version_id, upload_id)
            except (CatalogError, FileNotFoundError):  # it is gone
                continue
            for other in held:
                same = (other.size, other.etag) == (part.size, part.etag) and not is_closed(other)
                if same and other.piece and other.piece not in seen:
                    seen.add(other.piece)
                    yield f"{bucket}/{key}, {place(other.piece)}", other

    def _parts(self, bucket_name: str, key: str, version_id: str | None, upload_id: str | None) -> list[Part]:
        bucket = self._catalog.bucket(bucket_name)
        if upload_id is not None:
            return self._catalog.parts(bucket, key, upload_id)
        return parts_of(self._catalog.whole(self._catalog.get(bucket, key, version_id)))


def _asked(reached: Reached, part: Part, whole: int) -> list[tuple[str, str, str | None, str | None]]:
    given: dict[str, Value] = {"etag": part.etag, "size": part.size, "whole": whole}
    return fetch(reached, Sql(_SAME, parameters=given)).rows if part.etag else []


# The parts of completed objects have no rows: those of objects of the same size are looked through.
_SAME = f"""
SELECT bucket, key, version_id, NULL AS upload_id
FROM versions
WHERE (e_tag = $etag AND size = $size) OR (is_multipart AND size = $whole)
UNION ALL
SELECT bucket, key, NULL, upload_id FROM parts WHERE e_tag = $etag AND size = $size
LIMIT {MOST}
"""
