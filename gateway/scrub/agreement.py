"""Holds what the database says of a bucket against what the key index says, while both go on."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from catalog import Catalog
from catalog.database.client import Reached, fetch
from catalog.database.frames import Sql, Value
from catalog.records import Bucket
from catalog.rows import ListedVersion
from gateway.scrub.report import Finding
from gateway.scrub.walk import Chunk, is_there, listed, version_of

TRIES = 10  # looks at a key that differs; one that is written all the time may differ at each

# Key, sequence number, version id, whether it is the latest and a delete marker, size and ETag.
Row = tuple[str, int, str, bool, bool, int, str]

_COLUMNS = "key, seq, version_id, is_latest, is_delete_marker, coalesce(size, 0), coalesce(e_tag, '')"


def disagreements(catalog: Catalog, database: Reached, bucket: Bucket, chunk: Chunk) -> list[Finding]:
    """Raises QueryFailed and QueryStopped."""
    found = []
    for key in _differing(_indexed(catalog, bucket, chunk.items), _asked(database, bucket, chunk.after, chunk.until)):
        detail = _still_differs(catalog, database, bucket, key)
        if detail is not None:
            found.append(Finding("database", detail, bucket.name, key))
    return found


def _differing(*streams: Iterable[Row]) -> Iterator[str]:
    """The keys of which two streams, each in order, do not have the same rows."""
    merged = heapq.merge(*streams, key=lambda row: (row[0].encode(), -row[1]))
    for key, rows in groupby(merged, itemgetter(0)):
        both = list(rows)
        if both[::2] != both[1::2]:
            yield key


def _still_differs(catalog: Catalog, database: Reached, bucket: Bucket, key: str) -> str | None:
    """What each says of a key, where it says so twice in turn; None if they agree.

    A version that ended never comes back: what is the same at both looks was so between them.
    """
    seen: tuple[list[Row], list[Row]] | None = None
    for _ in range(TRIES):
        indexed = list(_indexed(catalog, bucket, _of_key(catalog, bucket, key)))
        said = _asked(database, bucket, key=key)
        if indexed == said or not is_there(catalog, bucket):
            return None
        if seen == (indexed, said):
            return f"the database has the versions {_shown(said)}, the key index {_shown(indexed)}"
        seen = indexed, said
    return None


def _indexed(catalog: Catalog, bucket: Bucket, items: Iterable[ListedVersion]) -> Iterator[Row]:
    for item in items:
        if item.delete_marker:
            yield item.key, item.seq, item.version_id, item.latest, True, 0, ""
        elif (version := version_of(catalog, bucket, item)) is not None:
            yield item.key, item.seq, item.version_id, item.latest, False, version.size, version.etag


def _of_key(catalog: Catalog, bucket: Bucket, key: str) -> Iterator[ListedVersion]:
    for item in listed(catalog, bucket, prefix=key):
        if item.key != key:
            return
        yield item


def _asked(
    database: Reached, bucket: Bucket, after: str = "", until: str | None = None, key: str | None = None
) -> list[Row]:
    given: dict[str, Value] = {"bucket": bucket.name, "after": after, "until": until, "key": key}
    within = "key > $after AND ($until IS NULL OR key <= $until)" if key is None else "key = $key"
    used = {name: value for name, value in given.items() if f"${name}" in f"$bucket {within}"}
    statement = f"SELECT {_COLUMNS} FROM versions WHERE bucket = $bucket AND {within} ORDER BY key, seq DESC"
    return fetch(database, Sql(statement, parameters=used)).rows


def _shown(rows: list[Row]) -> str:
    return ", ".join(row[2] for row in rows) or "none"
