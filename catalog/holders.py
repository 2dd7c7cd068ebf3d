"""Who names the bodies that lie in a segment: asked of the segment's own records first, of the whole index if need be.

A record says who named its body when it was written: enough, unless a copy shares the body since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import lmdb

from catalog.index import Index, composed, uploaded
from catalog.index.apply import locate, noncurrent_seqs
from catalog.index.entries import named, version_of
from catalog.index.keys import END, FIRST_CHILD_SPACE, escape, unescape, upload_bytes
from catalog.index.lookup import version_by_seq
from catalog.log import Log
from catalog.records import (
    BodyMoved,
    Mutation,
    ObjectChanged,
    Part,
    PartHolder,
    PartPut,
    Piece,
    VersionHolder,
    VersionUpdated,
)


@dataclass(slots=True)
class Holders:
    versions: set[VersionHolder] = field(default_factory=set)
    parts: set[PartHolder] = field(default_factory=set)
    named: int = 0  # how many times: a version may have a body in several parts

    def in_groups(self, most: int) -> Iterator[Holders]:
        """The same, with no more than `most` holders each."""
        versions, parts = list(self.versions), list(self.parts)
        for first in range(0, len(versions), most):
            yield Holders(versions=set(versions[first : first + most]))
        for first in range(0, len(parts), most):
            yield Holders(parts=set(parts[first : first + most]))


class PartSuspect(NamedTuple):
    """A part that was put: of an upload under way yet, or of the version made from it."""

    bucket_id: int
    key: str
    upload_id: str
    number: int


Suspect = VersionHolder | PartHolder | PartSuspect
Bodies = dict[Piece, Holders]


def suspects(mutation: Mutation) -> Iterator[Suspect]:
    """Who named a body by this mutation, if it is still so."""
    match mutation:
        case ObjectChanged(put=put) if put is not None:
            yield VersionHolder(mutation.bucket_id, mutation.key, put.seq)
        case VersionUpdated():
            yield VersionHolder(mutation.bucket_id, mutation.key, mutation.version.seq)
        case PartPut():
            yield PartSuspect(mutation.bucket_id, mutation.key, mutation.upload_id, mutation.part.number)
        case BodyMoved():
            yield from mutation.versions
            yield from mutation.parts


def body_of(mutation: Mutation) -> Piece | None:
    """The small body that came with the mutation, or one that its version shares with another."""
    match mutation:
        case ObjectChanged(put=put) if put is not None:
            return put.body
        case PartPut():
            return mutation.part.piece
        case BodyMoved():
            return mutation.new
    return None


def confirm(index: Index, txn: lmdb.Transaction, suspected: Iterable[Suspect], segment: int, bodies: Bodies) -> None:
    """Add to `bodies` those in the segment that the suspects name now."""
    for suspect in suspected:
        match suspect:
            case VersionHolder():
                _version(index, txn, suspect, {segment}, bodies)
            case PartHolder():
                _part(index, txn, suspect, {segment}, bodies)
            case PartSuspect():
                part = PartHolder(suspect.upload_id, suspect.number)
                if not _part(index, txn, part, {segment}, bodies):
                    _completed(index, txn, suspect, {segment}, bodies)


def look_through(index: Index, log: Log, segment: int, bodies: Bodies, slice_size: int) -> Iterator[None]:
    """Add the bodies of a segment, by its own records; pauses after each slice of them.

    Raises CatalogUnusable where the segment is damaged, FileNotFoundError.
    """
    suspected: dict[Suspect, None] = {}

    def confirm_all() -> None:
        with index.read() as txn:
            confirm(index, txn, suspected, segment, bodies)
        suspected.clear()

    for record, _, _ in log.records_of(segment):
        suspected.update(dict.fromkeys(suspects(record.mutation)))
        if len(suspected) >= slice_size:
            confirm_all()
            yield
    confirm_all()
    yield


def survey(index: Index, segments: Collection[int], bodies: Bodies, slice_size: int) -> Iterator[None]:
    """Add all bodies in these segments with everybody who names them; pauses after each slice of the index."""
    tables = ((index.objects, _object_entry), (index.versions, _version_entry), (index.parts, _part_group))
    for table, add in tables:
        after = b""
        while True:
            with index.read() as txn, txn.cursor(db=table) as cursor:
                found = cursor.set_range(after)
                for _ in range(slice_size):
                    if not found:
                        break
                    add(index, txn, cursor.key(), cursor.value(), segments, bodies)
                    found = cursor.next()
                after = cursor.key() if found else b""
            yield
            if not after:
                break


def holds_version(index: Index, txn: lmdb.Transaction, holder: VersionHolder, piece: Piece) -> bool:
    return any(each == piece for each in _pieces(index, txn, holder))


def holds_part(index: Index, txn: lmdb.Transaction, holder: PartHolder, piece: Piece) -> bool:
    part = _part_of(index, txn, holder)
    return part is not None and part.piece == piece


def _version(index: Index, txn: lmdb.Transaction, holder: VersionHolder, segments: Collection[int], to: Bodies) -> None:
    _add(holder, _pieces(index, txn, holder), segments, to)


def _add(holder: VersionHolder, pieces: Iterable[Piece], segments: Collection[int], to: Bodies) -> None:
    mine = [piece for piece in pieces if piece.segment in segments]
    known = {piece for piece in mine if piece in to and holder in to[piece].versions}
    for piece in mine:
        if piece not in known:
            holders = to.setdefault(piece, Holders())
            holders.versions.add(holder)
            holders.named += 1


def _pieces(index: Index, txn: lmdb.Transaction, holder: VersionHolder) -> Iterator[Piece]:
    place = locate(index, txn, holder.bucket_id, escape(holder.key))
    version = version_by_seq(index, txn, place, holder.seq) if place is not None else None
    if version is not None:
        yield from composed.pieces_of(composed.whole(index, txn, version))


def _part(index: Index, txn: lmdb.Transaction, holder: PartHolder, segments: Collection[int], to: Bodies) -> bool:
    """Whether there is such a part."""
    part = _part_of(index, txn, holder)
    if part is None:
        return False
    _add_part(holder, part, segments, to)
    return True


def _add_part(holder: PartHolder, part: Part, segments: Collection[int], to: Bodies) -> None:
    if part.piece is not None and part.piece.segment in segments:
        holders = to.setdefault(part.piece, Holders())
        if holder not in holders.parts:
            holders.parts.add(holder)
            holders.named += 1


def _part_of(index: Index, txn: lmdb.Transaction, holder: PartHolder) -> Part | None:
    upload = upload_bytes(holder.upload_id)
    return uploaded.get(index, txn, upload, holder.number) if upload is not None else None


def _completed(
    index: Index, txn: lmdb.Transaction, suspect: PartSuspect, segments: Collection[int], to: Bodies
) -> None:
    """The version that the upload became, among those of the key."""
    place = locate(index, txn, suspect.bucket_id, escape(suspect.key))
    if place is None:
        return
    raw = txn.get(place, db=index.objects)
    seqs = [named(raw).seq] if raw is not None else []
    for seq in (*seqs, *noncurrent_seqs(index, txn, place)):
        version = version_by_seq(index, txn, place, seq)
        if version is not None and version.upload_id == suspect.upload_id:
            _version(index, txn, VersionHolder(suspect.bucket_id, suspect.key, seq), segments, to)
            return


def _object_entry(
    index: Index, txn: lmdb.Transaction, key: bytes, raw: bytes, segments: Collection[int], to: Bodies
) -> None:
    version = version_of(raw)
    pieces = list(composed.pieces_of(composed.whole(index, txn, version)))
    if any(piece.segment in segments for piece in pieces):
        _add(VersionHolder(*full_key(index, txn, key), version.seq), pieces, segments, to)


def _version_entry(
    index: Index, txn: lmdb.Transaction, key: bytes, raw: bytes, segments: Collection[int], to: Bodies
) -> None:
    _object_entry(index, txn, key[: -8 - len(END)], raw, segments, to)


def _part_group(
    index: Index, txn: lmdb.Transaction, key: bytes, raw: bytes, segments: Collection[int], to: Bodies
) -> None:
    for part in composed.decode_parts(raw):
        _add_part(PartHolder(key[:16].hex(), part.number), part, segments, to)


def full_key(index: Index, txn: lmdb.Transaction, place: bytes) -> tuple[int, str]:
    """Bucket id and key of what the index spells so. Reads all child spaces where the key is in one."""
    space, raw = place[:8], place[8:]
    while int.from_bytes(space, "big") >= FIRST_CHILD_SPACE:
        with txn.cursor(db=index.spaces) as cursor:
            parent = next(above for above, child in cursor if child == space)
        space, raw = parent[:8], parent[8:] + raw
    return int.from_bytes(space, "big"), unescape(raw)
