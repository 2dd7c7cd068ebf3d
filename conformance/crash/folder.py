"""Looks into a data folder at rest: the key index against the database, the bodies against both."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from catalog import Catalog
from catalog.database.feed import open_feed
from catalog.folder import Folder
from catalog.index import Index
from catalog.index.rebuild import rebuild

Tables = dict[str, dict[bytes, bytes]]


def audit_folder(data: Path) -> None:
    """The server has stopped in order. Raises AssertionError."""
    catalog = Catalog.open(data)
    try:
        index, log = catalog._index, catalog._log
        with tempfile.TemporaryDirectory() as place, open_feed(Folder(data)) as feed:
            # By number, not by place: behind a batch that was given up, the end may be the next segment's beginning.
            applied, end = feed.position(), catalog.end()
            assert applied is not None and applied.seq == end.seq, (
                f"the database is at {applied}, the log ends at {end}"
            )
            anew = Index(Path(place) / "index")
            rebuild(anew, log.catalog_id, feed, log)
            held, expected = tables(index), tables(anew)
            anew.close()
        for name in expected:
            assert held[name] == expected[name], f"{name}: the index is not what the database makes of it"
        _check_bodies(data, set(held["blobs"]))
    finally:
        catalog.release()


def _check_bodies(data: Path, named: set[bytes]) -> None:
    there = {bytes.fromhex(path.name) for path in (data / "blobs").rglob("*") if path.is_file()}
    assert named <= there, f"{len(named - there)} bodies are missing"
    assert there <= named, f"{len(there - named)} bodies are left that nothing names"
    assert not list((data / "tmp").iterdir())


def tables(index: Index) -> Tables:
    """What the index holds, child spaces spelled out: their numbers differ from one making to the next."""
    with index.read() as txn:
        spaces = {child: parent for parent, child in txn.cursor(db=index.spaces)}
        found: Tables = {}
        for name in ("objects", "versions", "nulls", "uploads"):
            rows = txn.cursor(db=getattr(index, name))
            found[name] = {_spelled(key, spaces): bytes(value) for key, value in rows}
        for name in ("buckets", "parts", "users", "blobs"):
            found[name] = dict(txn.cursor(db=getattr(index, name)))
        # A segment in which nothing lives may be counted as such, or not at all.
        found["segments"] = {key: value for key, value in txn.cursor(db=index.segments) if any(value[:8])}
    return found


def _spelled(key: bytes, spaces: dict[Any, bytes]) -> bytes:
    space, rest = key[:8], key[8:]
    return _spelled(spaces[space], spaces) + rest if space in spaces else space + rest
