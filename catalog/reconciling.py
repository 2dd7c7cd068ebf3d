"""What a catalog of an earlier time names and the folder does not have: found, and put into mutations that say so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from catalog.folder import Folder
from catalog.index import composed
from catalog.index.entries import decode_version
from catalog.index.rebuild import Feed
from catalog.log import Log
from catalog.records import (
    BodyMoved,
    LogRecord,
    Mutation,
    ObjectChanged,
    PartHolder,
    Piece,
    Removed,
    UploadAborted,
    VersionHolder,
)

_BATCH = 16_384


@dataclass(frozen=True)
class Missing:
    """A version, or an upload under way, of which a body is not there; the id of the other kind is ""."""

    bucket: str
    key: str
    version_id: str = ""
    upload_id: str = ""


@dataclass
class Reconciled:
    """`mutations` end what is `missing`, and name the new places of bodies that moved.

    `named` are the files of the bodies that are left, `last_segment` the highest of the log that was named at all.
    """

    mutations: list[Mutation] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    last_segment: int = 0


class Bodies:
    """Which bodies are there: the file, or the segment, is long enough."""

    def __init__(self, folder: Folder, log: Log) -> None:
        self._folder = folder
        self._log = log
        self._ends: dict[int, int] = {}

    def there(self, piece: Piece) -> bool:
        if piece.blob is None:
            if piece.segment not in self._ends:
                self._ends[piece.segment] = self._end(piece.segment)
            return piece.offset + piece.size <= self._ends[piece.segment]
        name = piece.blob.hex()
        try:
            return (self._folder.blobs / name[:2] / name).stat().st_size >= piece.offset + piece.size
        except FileNotFoundError:
            return False

    def close(self) -> None:
        self._log.close()

    def _end(self, segment: int) -> int:
        return -1 if self._log.missing([segment]) else self._log.path(segment).stat().st_size


def records_behind(log: Log, segment: int) -> Iterator[tuple[int, LogRecord]]:
    """What can be read of a segment and later ones, whatever is missing between."""
    reached = 0
    for start in log.segments():
        if start >= segment and start > reached and not log.missing([start]):
            position = log.start_of(start)
            while True:
                records, position = log.read(position, None, _BATCH)
                yield from records
                if not records:
                    break
            reached = position.segment


def reconcile(feed: Feed, bodies: Bodies, since: Iterable[BodyMoved]) -> Reconciled:
    """`since` are moves of bodies later than what the feed has."""
    moved = {move.old: move.new for move in since}
    found = Reconciled()
    names = {bucket.id: bucket.name for bucket in feed.buckets()}
    for batch in feed.versions():
        for bucket_id, raw, seq, encoded in batch:
            key, version = raw.decode(), decode_version(encoded)
            moves = _moves(found, bodies, moved, list(composed.pieces_of(version)))
            if moves is None:
                found.missing.append(Missing(names[bucket_id], key, version.version_id))
                found.mutations.append(ObjectChanged(bucket_id, key, None, [Removed(seq, version.version_id)]))
            else:
                holder = VersionHolder(bucket_id, key, seq)
                found.mutations += [BodyMoved(old, new, [holder]) for old, new in moves.items()]
    _reconcile_uploads(feed, bodies, moved, names, found)
    return found


def _reconcile_uploads(
    feed: Feed, bodies: Bodies, moved: dict[Piece, Piece], names: dict[int, str], found: Reconciled
) -> None:
    uploads = {upload.upload_id: upload for upload in feed.uploads()}
    for upload_id, held in groupby(feed.parts(), itemgetter(0)):
        upload = uploads[upload_id]
        parts = [(part.number, part.piece) for _, part in held if part.piece is not None]
        moves = _moves(found, bodies, moved, [piece for _, piece in parts])
        if moves is None:
            found.missing.append(Missing(names[upload.bucket_id], upload.key, upload_id=upload_id))
            found.mutations.append(UploadAborted(upload.bucket_id, upload.key, upload_id))
            continue
        for number, piece in parts:
            if piece in moves:
                found.mutations.append(BodyMoved(piece, moves[piece], parts=[PartHolder(upload_id, number)]))


def _moves(
    found: Reconciled, bodies: Bodies, moved: dict[Piece, Piece], pieces: Collection[Piece]
) -> dict[Piece, Piece] | None:
    """Where those pieces are now that are elsewhere; None where one is nowhere."""
    moves = {}
    for piece in pieces:
        at = piece
        while not bodies.there(at) and at in moved:
            at = moved[at]
        found.last_segment = max(found.last_segment, piece.segment)
        if not bodies.there(at):
            return None
        if at != piece:
            moves[piece] = at
    found.named.update(piece.blob.hex() for piece in pieces if piece.blob is not None)
    return moves
