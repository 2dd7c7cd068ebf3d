"""Holds what the database says of a bucket against what the key index says, while both go on."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from msgspec.structs import replace

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


class Disagreement(NamedTuple):
    """What index and database have of a key, where that is not the same."""

    bucket: Bucket
    key: str
    indexed: list[Row]
    said: list[Row]

    def finding(self, more: str = "", **fields: str) -> Finding:
        detail = f"the database has the versions {_shown(self.said)}, the key index {_shown(self.indexed)}{more}"
        return replace(Finding("database", detail, self.bucket.name, self.key), **fields)


def disagreements(database: Reached, catalog: Catalog, bucket: Bucket, chunk: Chunk) -> list[Disagreement]:
    """Raises QueryFailed and QueryStopped."""
    indexed, said = _indexed(catalog, bucket, chunk.items), _asked(database, bucket, chunk.after, chunk.until)
    found = (disagreement(database, catalog, bucket, key) for key in _differing(indexed, said))
    return [each for each in found if each is not None]


def _differing(*streams: Iterable[Row]) -> Iterator[str]:
    """The keys of which two streams, each in order, do not have the same rows."""
    merged = heapq.merge(*streams, key=lambda row: (row[0].encode(), -row[1]))
    for key, rows in groupby(merged, itemgetter(0)):
        both = list(rows)
        if both[::2] != both[1::2]:
            yield key


def disagreement(database: Reached, catalog: Catalog, bucket: Bucket, key: str) -> Disagreement | None:
    """What each has of a key, where it says so twice in turn; None if they agree. Raises as `disagreements`.

    A version that ended never comes back: what is the same at both looks was so between them.
    """
    seen: tuple[list[Row], list[Row]] | None = None
    for _ in range(TRIES):
        indexed = list(_indexed(catalog, bucket, _of_key(catalog, bucket, key)))
        said = _asked(database, bucket, key=key)
        if indexed == said or not is_there(catalog, bucket):
            return None
        if seen == (indexed, said):
            return Disagreement(bucket, key, indexed, said)
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


def journalled(database: Reached, bucket: Bucket, key: str) -> list[Row]:
    """The versions that a key has by its history, which neither of the two is made of."""
    given: dict[str, Value] = {"bucket": bucket.name, "key": key}
    rows = fetch(database, Sql(_JOURNALLED, parameters=given)).rows
    return [(each, seq, version_id, at == 0, *more) for at, (each, seq, version_id, *more) in enumerate(rows)]


def _shown(rows: list[Row]) -> str:
    return ", ".join(row[2] for row in rows) or "none"


_JOURNALLED = """
WITH put AS (
    SELECT *
    FROM journal
    WHERE bucket = $bucket AND key = $key AND operation IN ('ObjectPut', 'DeleteMarkerPut')
)
SELECT key, seq, version_id, coalesce(is_delete_marker, false), coalesce(size, 0), coalesce(e_tag, '')
FROM put
WHERE seq NOT IN (SELECT ended FROM journal WHERE ended IN (SELECT seq FROM put))
ORDER BY seq DESC
"""
