"""The catalog: buckets, keys, versions and metadata in a log, an ordered index and DuckDB. It knows no HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from catalog.decisions import Check, Deleted, Source
from catalog.index.composed import Grouped
from catalog.index.listing import UploadPage
from catalog.index.uploaded import Uploaded
from catalog.rows import Page, VersionPage
from catalog.store import Catalog

if TYPE_CHECKING:
    from catalog.queries.handle import Handle

SMALL_BODY = 64 * 1024  # bytes up to which a body lies in the commit log itself

__all__ = [
    "SMALL_BODY",
    "Catalog",
    "Check",
    "Deleted",
    "Grouped",
    "Page",
    "Source",
    "UploadPage",
    "Uploaded",
    "VersionPage",
    "connect",
]


def connect(directory: str | Path) -> Handle:
    """A read-only handle on the catalog of a data folder, for notebooks and scripts."""
    from catalog.queries.handle import Handle  # with DuckDB, which the gateway does without

    return Handle(Path(directory))
