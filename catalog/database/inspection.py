"""Looks at the data folder of a stopped server without changing anything: no lock is taken, nothing is mended."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import lmdb

from catalog.database.tables import applied
from catalog.errors import CatalogUnusable
from catalog.folder import Folder
from catalog.index import FORMAT, Index, is_cut
from catalog.log import Log
from catalog.records import Position


def problems(folder: Folder) -> Iterator[str]:
    """What is wrong with log, index and database, and with their fitting each other; in plain words."""
    try:
        log = Log(folder.log, Log.catalog_of(folder.log))
    except CatalogUnusable as fact:
        yield fact.why
        return
    try:
        gaps = _gaps(log)
        if gaps:
            yield f"{', '.join(gaps)} in {folder.log} cannot be read as this catalog's log: restore from a backup"
        yield from _of_index(folder, log)
        yield from _of_database(folder, log)
    except CatalogUnusable as fact:
        yield fact.why
    finally:
        log.close()


def _gaps(log: Log) -> list[str]:
    """The last one is passed over: the power may have left it without a header, which the next start mends."""
    return [log.path(segment).name for segment in log.missing(log.segments()[:-1])]


def _of_index(folder: Folder, log: Log) -> Iterator[str]:
    """A missing or stale index is no problem: the next start makes it anew."""
    if not folder.index_survived():
        return
    if is_cut(folder.index):
        yield f"the key index is shorter than it says: something cut {folder.index}; the next start makes it anew"
        return
    try:
        index = Index(folder.index, look_only=True)
    except lmdb.Error as problem:
        yield f"the key index cannot be read ({problem}): remove {folder.index}, the next start makes it anew"
        return
    try:
        form, catalog_id = index.identity()
        if form != FORMAT:
            return
        if catalog_id != log.catalog_id:
            yield f"{folder.index} belongs to another catalog: remove it, the next start makes it anew"
            return
        with index.read() as txn:
            end, living = index.end(txn), index.inhabited(txn)
        if not log.holds(end, end.offset):  # so it reads the segment's whole chain
            yield (
                f"the commit log does not have mutation {end.seq}, which was acknowledged, where it belongs: the log "
                "is damaged or of an earlier time; restore the data folder from a backup"
            )
        lost = [log.path(segment).name for segment in log.missing(living)]
        if lost:
            yield f"{', '.join(lost)} missing in {folder.log}: bodies lie there; restore from a backup"
    finally:
        index.close()


def _of_database(folder: Folder, log: Log) -> Iterator[str]:
    if not folder.database.exists():  # the next start fills one, as far as index and log reach
        return
    try:
        with duckdb.connect(str(folder.database), read_only=True) as connection:
            catalog_id, position = applied.identity(connection), applied.position(connection)
    except duckdb.Error as problem:
        yield f"{folder.database} cannot be read ({problem}): restore it from a backup"
        return
    yield from _fitting(folder, log, catalog_id, position)


def _fitting(folder: Folder, log: Log, catalog_id: bytes | None, position: Position) -> Iterator[str]:
    if catalog_id is None:
        return
    if catalog_id != log.catalog_id:
        yield f"{folder.database} and {folder.log} belong to different catalogs: restore both from one backup"
    elif not log.reaches(position):
        yield (
            f"the commit log does not go on where the database stopped, at mutation {position.seq}: they are of "
            "different times; restore the data folder from one backup"
        )
