"""Opening a data folder: find its state, whatever happened to it, and leave a sound index behind."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import lmdb

from catalog.damage import is_cut_short
from catalog.errors import CatalogUnusable
from catalog.folder import Folder
from catalog.index import FORMAT, Index, is_cut
from catalog.index.rebuild import Feed, rebuild
from catalog.log import Log, beginning

# Opens the database of a folder for as long as it takes to read it, given the catalog's id if that is known already.
OpenFeed = Callable[[Folder], AbstractContextManager[Feed]]

report = logging.getLogger(__name__)


def open_index(folder: Folder, open_feed: OpenFeed) -> tuple[Index, Log, int]:
    """The index, the log, and the descriptor that marks the folder as in use.

    Raises CatalogUnusable where the folder is not one sound catalog.
    """
    folder.make()
    with folder.opening():
        index = _trusted(folder) or _make(folder, open_feed)
        log = Log(folder.log, index.identity()[1])
        try:
            _check_bodies(index, log)
            with index.write() as txn:
                end = index.end(txn)
                log.forget_behind(end)
            if not folder.in_use():
                log.clear_ahead(end)
        except BaseException:
            index.close()
            log.close()
            raise
        folder.claim_index()
        held = folder.hold_open()
    return index, log, held


def _trusted(folder: Folder) -> Index | None:
    """The index that is there, if it is of this code's format, of this log and no older than it."""
    if not folder.index_survived() or (not folder.in_use() and is_cut(folder.index)):
        return None
    try:
        index = Index(folder.index)
    except lmdb.MemoryError as problem:  # it is the process that lacks something: the index may be sound
        raise CatalogUnusable(
            f"{folder.index} cannot be mapped into memory: {problem}. A limit of address space (ulimit -v) does that: "
            "1 TiB of it is reserved, whatever the index takes"
        ) from problem
    except lmdb.Error:
        return None
    form, catalog_id = index.identity()
    log = Log(folder.log, catalog_id)
    trusted = False
    try:
        if form == FORMAT and len(catalog_id) == 16:
            # Under the lock of those who commit: what they would add meanwhile, looks like a loss.
            with index.write() as txn:
                end, last = index.end(txn), index.last_offset(txn)
                trusted = log.holds(end, last) and not (log.goes_on(end) and is_cut_short(log, end))
    finally:
        log.close()
        if not trusted:
            index.close()
    return index if trusted else None


def _make(folder: Folder, open_feed: OpenFeed) -> Index:
    """A new catalog where there is nothing, else the index anew from the database and the log."""
    new = folder.is_new() and Log.is_blank(folder.log)
    catalog_id = os.urandom(16) if new else Log.catalog_of(folder.log)
    folder.remove_index()
    if new:
        Log(folder.log, catalog_id).create()
        index = Index(folder.index)
        index.begin_life(catalog_id, beginning(catalog_id))
        return index
    log = Log(folder.log, catalog_id)
    with open_feed(folder) as feed:
        _check_joined(folder, log, catalog_id, feed)
        index = Index(folder.index)
        end = rebuild(index, catalog_id, feed, log)
    if is_cut_short(log, end):
        index.close()
        raise CatalogUnusable(
            f"{log.path(end.segment)} is damaged behind byte {end.offset}, or the next segment is missing: mutations "
            f"beyond sequence number {end.seq} were acknowledged and cannot be read; restore the log from a backup"
        )
    log.close()
    report.warning("the key index was not there or not to be trusted, and was made anew up to mutation %s", end.seq)
    return index


def _check_joined(folder: Folder, log: Log, catalog_id: bytes, feed: Feed) -> None:
    """The database and the log are of one catalog, and the log goes on where the database stopped."""
    position = feed.position()
    known = feed.catalog_id()
    if known is not None and known != catalog_id:
        raise CatalogUnusable(f"{folder.database} and {folder.log} belong to different catalogs")
    if not log.reaches(position or beginning(catalog_id)):
        raise CatalogUnusable(
            f"{folder.log} does not go on where {folder.database} stopped (at sequence number "
            f"{position.seq if position else 0}): a segment is missing, damaged or of another time"
        )


def _check_bodies(index: Index, log: Log) -> None:
    """The segments in which bodies live are there."""
    with index.write() as txn:  # nobody drops one meanwhile
        missing = log.missing(index.inhabited(txn))
    if missing:
        names = ", ".join(log.path(segment).name for segment in missing)
        raise CatalogUnusable(f"{names} missing in {log.directory}: bodies of objects lie there; restore from a backup")
