"""A consistent point of a data folder in another, beside a running server; and a data folder made of it again.

A backup holds `blobs/` and, in a folder of its own that gets its name when it is whole, a point: the database, the log
behind it and what else belongs to them. Blobs are immutable and shared with earlier points, so only new ones are
copied, or linked where data folder and backup lie on one file system.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from catalog.errors import CatalogUnusable
from catalog.index.contents import Contents
from catalog.log import HEADER_SIZE, Log
from catalog.placing import copy, place, sync_path
from catalog.records import LogRecord, ObjectChanged, Part, PartPut, Piece, Position, VersionUpdated
from catalog.store import Catalog
from catalog.tail import Tail

MAKING = "making"
POINT = "point-"
FILE = "backup.json"
TRIES = 100
_BATCH = 10_000


class Point(msgspec.Struct, frozen=True):
    """`end` is the last mutation in it; `missing` are bodies that the data folder had lost already."""

    catalog_id: str
    taken: float
    end: Position
    blobs: int
    new_blobs: int
    missing: list[str] = []


def back_up(catalog: Catalog, target: Path, extra: Iterable[str] = ()) -> Point:
    """All that was acknowledged before the call; files of the data folder named `extra` too. Raises CatalogUnusable.

    Earlier points go once the new one is whole: broken off at any moment, the backup has the one before.
    """
    source = catalog.folder
    if target.resolve().is_relative_to(source.path.resolve()):
        raise CatalogUnusable(f"{target} lies within the data folder")
    if target.exists() and any(target.iterdir()) and not (target / "blobs").is_dir():
        raise CatalogUnusable(f"{target} is neither empty nor a backup")
    (target / "blobs").mkdir(parents=True, exist_ok=True)
    with _alone(target):
        return _Run(catalog, target).run(extra)


def newest(backup: Path) -> tuple[Path, Point] | None:
    """The newest point that is whole."""
    for path in sorted(backup.glob(f"{POINT}*"), reverse=True):
        return path, msgspec.json.decode((path / FILE).read_bytes(), type=Point)
    return None


def place_of(backup: Path, piece: Piece) -> tuple[Path, int] | None:
    """File and offset at which a backup has the bytes of a body, if it has them."""
    if piece.blob is not None:
        path, offset = backup / "blobs" / piece.blob.hex()[:2] / piece.blob.hex(), piece.offset
    else:
        found = newest(backup)
        if found is None:
            return None
        path, offset = found[0] / "log" / f"{piece.segment:016x}.log", piece.offset
    return (path, offset) if path.exists() else None


class _Run:
    def __init__(self, catalog: Catalog, target: Path) -> None:
        self._source = catalog.folder
        self._catalog = catalog
        self._tail: Tail = catalog.tail()
        self._target = target
        self._making = target / MAKING
        self._previous = newest(target)
        self._there: set[bytes] = set()
        self._new = 0

    def run(self, extra: Iterable[str]) -> Point:
        # DuckDB is loaded only where it is needed: a worker never does.
        from catalog.database.client import reach

        previous, catalog_id = self._previous, self._tail.catalog_id.hex()
        if previous is not None and previous[1].catalog_id != catalog_id:
            raise CatalogUnusable(f"{self._target} is a backup of another catalog")
        shutil.rmtree(self._making, ignore_errors=True)
        (self._making / "log").mkdir(parents=True)
        for name in extra:
            with suppress(FileNotFoundError):
                copy(self._source.path / name, self._making / name)
        with reach(self._source.path, catalog=self._catalog) as database, database.held(self._copy_database) as applied:
            self._take_blobs()
            with self._standing(applied) as contents:
                end = contents.position()
                alive, missing = 0, []
                for blob in contents.blobs():
                    alive += 1
                    if blob not in self._there:
                        missing.append(blob.hex())
                self._take_log(end)
                self._check_log(applied, contents)
                point = Point(catalog_id, time.time(), end, alive, self._new, missing)
                self._finish(point)
                self._forget_earlier(contents)
        return point

    def _copy_database(self) -> None:
        for path in sorted(self._source.path.glob(f"{self._source.database.name}*")):
            if path.name in (self._source.database.name, f"{self._source.database.name}.wal"):
                copy(path, self._making / path.name)

    def _take_blobs(self) -> None:
        for path in self._source.blobs.glob("*/*"):
            with suppress(ValueError):
                self._take(bytes.fromhex(path.name))

    def _take(self, blob: bytes) -> bool:
        """Whether it is in the backup now; else it is not in the data folder any more."""
        name = blob.hex()
        if blob in self._there:
            return True
        target = self._target / "blobs" / name[:2] / name
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            try:
                place(self._source.blobs / name[:2] / name, target)
            except FileNotFoundError:
                return False
            self._new += 1
        self._there.add(blob)
        return True

    @contextmanager
    def _standing(self, reached: Position) -> Iterator[Contents]:
        """A moment of which all blobs are in the backup.

        Each that came since is named by the log. What is named there and gone has died before the next look at the
        index, or was lost before.
        """
        gone: set[bytes] = set()
        for tries in range(TRIES):
            with self._tail.contents() as contents:
                while reached.seq < contents.position().seq:
                    records, reached = self._tail.read(reached, contents.position(), _BATCH)
                    gone.update(blob for _, record in records for blob in _named(record) if not self._take(blob))
                if not any(map(contents.names, gone)) or tries == TRIES - 1:
                    yield contents
                    return

    def _take_log(self, end: Position) -> None:
        """All segments but the last are never written to again."""
        log = self._source.log
        for path in sorted(log.glob("*.log")):
            segment, target = int(path.stem, 16), self._making / "log" / path.name
            if segment < end.segment:
                place(self._sealed(path), target)
            elif segment == end.segment:
                copy(path, target, end.offset)
                os.truncate(target, path.stat().st_size)

    def _sealed(self, path: Path) -> Path:
        """The segment as the previous point has it, if it does: then it need not be copied again.

        The chain runs through it: that it and the next begin alike says that they hold the same.
        """
        if self._previous is not None and int(path.stem, 16) < self._previous[1].end.segment:
            earlier = self._previous[0] / "log" / path.name
            following = f"{int(path.stem, 16) + 1:016x}.log"
            with suppress(FileNotFoundError):
                names = (path.name, following)
                if all(_header(earlier.with_name(name)) == _header(path.with_name(name)) for name in names):
                    return earlier
        return path

    def _check_log(self, applied: Position, contents: Contents) -> None:
        """The copied log goes on from where the copied database stands, without a gap, and has all that lives in it.

        The catalog process that keeps the segments meanwhile may have died.
        """
        log, end = Log(self._making / "log", self._tail.catalog_id), contents.position()
        try:
            while applied.seq < end.seq:
                _, applied = log.read(applied, end, _BATCH)
            if log.missing(contents.segments()):
                raise CatalogUnusable("a segment of the log went while it was copied: begin the backup again")
        finally:
            log.close()

    def _finish(self, point: Point) -> None:
        (self._making / FILE).write_bytes(msgspec.json.encode(point))
        for path in (self._making / FILE, *(self._target / "blobs").iterdir()):
            sync_path(path)
        for directory in (self._target / "blobs", self._making / "log", self._making):
            sync_path(directory)
        self._making.rename(self._target / f"{POINT}{time.time_ns():020}")
        sync_path(self._target)

    def _forget_earlier(self, contents: Contents) -> None:
        for path in sorted(self._target.glob(f"{POINT}*"))[:-1]:
            path.rename(self._target / MAKING)  # so that no half of it is taken for a point
            shutil.rmtree(self._target / MAKING)
        for path in (self._target / "blobs").glob("*/*"):
            with suppress(ValueError):
                if not contents.names(bytes.fromhex(path.name)):
                    path.unlink()


def restore(backup: Path, target: Path) -> Point:
    """The newest whole point as a data folder that shares nothing with the backup. Raises CatalogUnusable.

    It bears its name once it was opened and found to have everything.
    """
    if target.exists() and any(target.iterdir()):
        raise CatalogUnusable(f"{target} is not empty")
    if not (backup / "blobs").is_dir():
        raise CatalogUnusable(f"{backup} is no backup")
    with _alone(backup):
        found = newest(backup)
        if found is None:
            raise CatalogUnusable(f"{backup} holds no backup that was finished")
        path, point = found
        draft = target.absolute().parent / f"{target.name}.restoring"
        shutil.rmtree(draft, ignore_errors=True)
        for each in (*(backup / "blobs").glob("*/*"), *path.rglob("*")):
            relative = each.relative_to(path if each.is_relative_to(path) else backup)
            if each.is_file() and relative.name != FILE:
                (draft / relative).parent.mkdir(parents=True, exist_ok=True)
                copy(each, draft / relative)
    _check(draft, point)
    for directory, _, _ in os.walk(draft):
        sync_path(Path(directory))
    if target.exists():
        target.rmdir()
    draft.rename(target)
    sync_path(draft.parent)
    return point


def _check(draft: Path, point: Point) -> None:
    catalog = Catalog.open(draft)
    try:
        with catalog.tail().contents() as contents:
            if contents.position() != point.end:
                raise CatalogUnusable(f"{draft} ends at {contents.position()}, and the backup at {point.end}")
            missing = {blob.hex() for blob in contents.blobs()} - set(point.missing)
            missing = {name for name in missing if not (draft / "blobs" / name[:2] / name).exists()}
        if missing:
            raise CatalogUnusable(f"{len(missing)} bodies are missing in the backup, {min(missing)} among them")
    finally:
        catalog.release()


@contextmanager
def _alone(backup: Path) -> Iterator[None]:
    """No other backup to the folder, and no restore from it, meanwhile."""
    directory = os.open(backup, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise CatalogUnusable(f"another backup or restore works with {backup}") from None
    finally:
        os.close(directory)


def _header(segment: Path) -> bytes:
    with segment.open("rb") as file:
        return file.read(HEADER_SIZE)


def _named(record: LogRecord) -> Iterator[bytes]:
    mutation = record.mutation
    parts: list[Part] = [mutation.part] if isinstance(mutation, PartPut) else []
    version = None
    if isinstance(mutation, ObjectChanged):
        version = mutation.put
    elif isinstance(mutation, VersionUpdated):
        version = mutation.version
    if version is not None:
        parts = version.parts if isinstance(version.parts, list) else []
        if version.body is not None and version.body.blob is not None:
            yield version.body.blob
    yield from (part.piece.blob for part in parts if part.piece is not None and part.piece.blob is not None)
