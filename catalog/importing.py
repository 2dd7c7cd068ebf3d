"""A catalog made again where it is lost and the bodies are there: of an export, and of what the log says since.

Where the log goes on from the export to its end, nothing is lost. Where it does not, for segments that were not needed
any more are gone, or all of it is, the catalog can be made as of the export: what of that is not there is left out, and
large bodies that it does not name are set aside.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import CatalogUnusable
from catalog.folder import Folder
from catalog.index import composed
from catalog.index.contents import Contents
from catalog.log import HEADER_SIZE, Log
from catalog.placing import put_in_place
from catalog.reconciling import Bodies, Missing, Reconciled, reconcile, records_behind
from catalog.records import BodyMoved, Position
from catalog.store import Catalog

if TYPE_CHECKING:
    from catalog.database.loading import Loaded

TABLES = "tables"
UNNAMED = "unnamed"
_DRAFT = "importing"


@dataclass
class Imported:
    """`exported` is the last mutation in the export, `seq` that of the catalog now. `versions` counts delete markers.

    What is `missing` was left out if `as_of_export`; else the catalog names it still. `unnamed` files were set aside.
    """

    as_of_export: bool
    exported: int
    seq: int = 0
    versions: int = 0
    users: int = 0
    missing: list[Missing] = field(default_factory=list)
    unnamed: int = 0


def import_catalog(export: Path, data: Path, as_of_export: bool = False) -> Imported:
    """Make the catalog of a folder that has bodies and no catalog. Raises CatalogUnusable, OSError.

    Broken off at any moment, it leaves a folder in which it can begin again. `as_of_export` is for a log that does not
    go on from the export; where it does, all of it is taken.
    """
    folder = Folder(data)
    _check(folder)
    done = _make_database(folder, export / TABLES, as_of_export)
    try:
        catalog = Catalog.open(data)  # which makes the index, and takes what the log has beyond the export
    except CatalogUnusable:
        _forget(folder)
        if done.as_of_export or not as_of_export:
            raise
        # Older segments are missing, in which bodies lived.
        done = _make_database(folder, export / TABLES, as_of_export, anew=True)
        catalog = Catalog.open(data)
    try:
        with catalog.tail().contents() as contents:
            _look_through(contents, Bodies(folder, Log(folder.log, catalog.tail().catalog_id)), done)
    finally:
        catalog.release()
    return done


def _forget(folder: Folder) -> None:
    """What was made, so that it can be made again."""
    for path in folder.path.glob(f"{folder.database.name}*"):
        path.unlink()
    folder.remove_index()


def _check(folder: Folder) -> None:
    if folder.database.exists() or (folder.index / "data.mdb").exists():
        raise CatalogUnusable(
            f"{folder.path} holds a catalog: if that is damaged, move {folder.database.name} and {folder.index.name}/ "
            "away first"
        )
    if not folder.log.is_dir() and not folder.blobs.is_dir():
        raise CatalogUnusable(f"{folder.path} holds no bodies: neither {folder.log.name}/ nor {folder.blobs.name}/")


def _make_database(folder: Folder, tables: Path, as_of_export: bool, anew: bool = False) -> Imported:
    # DuckDB is loaded only where it is needed: a worker never does.
    from catalog.database.loading import loaded
    from catalog.database.ownership import owning

    draft = folder.path / _DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    with folder.opening(), owning(folder.path):
        try:
            draft.mkdir()
            with loaded(draft, tables) as database:
                catalog_id, position = database.catalog_id, database.position
                if catalog_id is None:
                    raise CatalogUnusable(f"{tables.parent} is of a catalog that never held anything")
                done = Imported(False, position.seq)
                if anew or not _goes_on(folder, catalog_id, position):
                    _refuse_unless(as_of_export, folder, position)
                    done.as_of_export = True
                    _begin_anew(database, folder, Log(folder.log, catalog_id), done)
            put_in_place(draft / folder.database.name, folder.database)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return done


def _goes_on(folder: Folder, catalog_id: bytes, position: Position) -> bool:
    """Whether the log has all that it ever had behind the position. Raises CatalogUnusable for another catalog's."""
    if not any(folder.log.glob("*.log")):
        return False
    if Log.catalog_of(folder.log) != catalog_id:
        raise CatalogUnusable(f"{folder.log} and the export are of different catalogs")
    log = Log(folder.log, catalog_id)
    try:
        return log.reaches(position) and not log.missing(range(position.segment, log.segments()[-1] + 1))
    finally:
        log.close()


def _refuse_unless(as_of_export: bool, folder: Folder, position: Position) -> None:
    if not as_of_export:
        raise CatalogUnusable(
            f"{folder.log} does not go on from the export, which ends with mutation {position.seq}: what was written "
            "since is not known. --as-of-export makes the catalog as it was then, without what is not there any more"
        )


def _begin_anew(database: Loaded, folder: Folder, log: Log, done: Imported) -> None:
    """The log goes on in a new segment, behind all that there ever were, and with numbers never given before."""
    folder.log.mkdir(exist_ok=True)
    position = database.position
    last, moves = position.seq, []
    for last_seen, record in records_behind(log, position.segment):
        last = max(last, last_seen)
        if isinstance(record.mutation, BodyMoved):
            moves.append(record.mutation)
    found = reconcile(database.feed, Bodies(folder, log), moves)
    done.missing = found.missing
    segment = max([position.segment, found.last_segment, *log.segments()]) + 1
    start = Position(segment, HEADER_SIZE, last, position.chain)
    start = database.go_on(log.catalog_id, start, found.mutations)
    done.unnamed = _set_aside(folder, found)
    log.open_segment(start)
    log.close()


def _set_aside(folder: Folder, found: Reconciled) -> int:
    """A start of the server would remove them; how many there were."""
    count = 0
    for path in folder.blobs.glob("*/*"):
        if path.is_file() and path.name not in found.named:
            (folder.path / UNNAMED).mkdir(exist_ok=True)
            path.rename(folder.path / UNNAMED / path.name)
            count += 1
    return count


def _look_through(contents: Contents, bodies: Bodies, done: Imported) -> None:
    """Count what there is, and see that every body is there."""
    done.seq, done.users = contents.position().seq, len(contents.users())
    names = {bucket.id: bucket.name for bucket in contents.buckets()}
    for batch in contents.versions():
        done.versions += len(batch)
        for bucket_id, key, version, _ in batch:
            if not all(map(bodies.there, composed.pieces_of(version))):
                done.missing.append(Missing(names[bucket_id], key, version.version_id))
    for upload, parts in contents.uploads():
        if not all(part.piece is None or bodies.there(part.piece) for part in parts):
            done.missing.append(Missing(names[upload.bucket_id], upload.key, upload_id=upload.upload_id))
    bodies.close()
