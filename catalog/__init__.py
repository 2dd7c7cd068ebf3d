"""The catalog: buckets, keys, versions and metadata in a log, an ordered index and DuckDB. It knows no HTTP."""

from catalog.decisions import Check, Deleted, Source
from catalog.index.listing import UploadPage
from catalog.rows import Page, VersionPage
from catalog.store import Catalog

SMALL_BODY = 64 * 1024  # bytes up to which a body lies in the commit log itself

__all__ = ["SMALL_BODY", "Catalog", "Check", "Deleted", "Page", "Source", "UploadPage", "VersionPage"]
