"""Opening a data folder: find its state, whatever happened to it, and leave a sound index behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import lmdb

from catalog.errors import CatalogUnusable
from catalog.folder import Folder
from catalog.index import FORMAT, Index
from catalog.index.rebuild import Feed, rebuild
from catalog.log import Log, beginning

# Opens the database of a folder for as long as it takes to read it, given the catalog's id if that is known already.
OpenFeed = Callable[[Folder], AbstractContextManager[Feed]]


def open_index(folder: Folder, open_feed: OpenFeed) -> tuple[Index, Log, int]:
    """The index, the log, and the descriptor that marks the folder as in use.

    Raises CatalogUnusable where the folder is not one sound catalog.
    """
    folder.make()
    with folder.opening():
        index = _trusted(folder)
        if index is None:
            index = _make(folder, open_feed)
        log = Log(folder.log, index.identity()[1])
        with index.write() as txn:
            log.forget_behind(index.end(txn))
        folder.claim_index()
        held = folder.hold_open()
    return index, log, held


def _trusted(folder: Folder) -> Index | None:
    """The index that is there, if it is of this code's format, of this log and no older than it."""
    if not folder.index_survived():
        return None
    try:
        index = Index(folder.index)
    except lmdb.Error:
        return None
    form, catalog_id = index.identity()
    log = Log(folder.log, catalog_id)
    try:
        if form == FORMAT and len(catalog_id) == 16:
            with index.read() as txn:
                end, last = index.end(txn), index.last_offset(txn)
            if log.holds(end, last):
                return index
    finally:
        log.close()
    index.close()
    return None


def _make(folder: Folder, open_feed: OpenFeed) -> Index:
    """A new catalog where there is nothing, else the index anew from the database and the log."""
    folder.remove_index()
    if not folder.database.exists() and Log.is_blank(folder.log):
        catalog_id = os.urandom(16)
        Log(folder.log, catalog_id).create()
        index = Index(folder.index)
        index.begin_life(catalog_id, beginning(catalog_id))
        return index
    catalog_id = Log.catalog_of(folder.log)
    log = Log(folder.log, catalog_id)
    with open_feed(folder) as feed:
        position = feed.position()
        _check_joined(folder, log, catalog_id, feed)
        index = Index(folder.index)
        end = rebuild(index, catalog_id, feed, log)
    if position is not None and end.seq < position.seq:
        raise CatalogUnusable(f"{folder.log} ends before {folder.database} does")
    log.close()
    return index


def _check_joined(folder: Folder, log: Log, catalog_id: bytes, feed: Feed) -> None:
    """The database and the log are of one catalog, and the log goes on where the database stopped."""
    position = feed.position()
    known = feed.catalog_id()
    if known is not None and known != catalog_id:
        raise CatalogUnusable(f"{folder.database} and {folder.log} belong to different catalogs")
    if not log.has(position or beginning(catalog_id)):
        raise CatalogUnusable(
            f"{folder.log} does not go on where {folder.database} stopped: a segment is missing or of another time"
        )
