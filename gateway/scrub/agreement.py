"""Holds what the database says of a bucket against what the key index says, while both go on."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from catalog import Catalog
from catalog.database.client import Reached, fetch, values
from catalog.database.frames import Columns, Rows, Sql
from catalog.records import Bucket
from gateway.scrub.report import Finding
from gateway.scrub.walk import is_there, listed, version_of

TRIES = 10  # looks at a key that differs; one that is written all the time may differ at each

# Key, sequence number, version id, whether it is the latest and a delete marker, size and ETag.
Row = tuple[str, int, str, bool, bool, int, str]

_COLUMNS = "key, seq, version_id, is_latest, is_delete_marker, coalesce(size, 0), coalesce(e_tag, '')"


def disagreements(catalog: Catalog, database: Reached, bucket: Bucket) -> Iterator[Finding]:
    """Raises QueryFailed and QueryStopped."""
    # All of them first: the next question is asked when the answer to this one has been read to its end.
    for key in list(_differing(_indexed(catalog, bucket), _asked(database, bucket))):
        detail = _still_differs(catalog, database, bucket, key)
        if detail is not None:
            yield Finding("database", detail, bucket.name, key)


def _differing(*streams: Iterator[Row]) -> Iterator[str]:
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
        indexed = _of_key(catalog, bucket, key)
        said = [_row(row) for row in fetch(database, Sql(_query(bucket, key))).rows]
        if indexed == said or not is_there(catalog, bucket):
            return None
        if seen == (indexed, said):
            return f"the database has the versions {_shown(said)}, the key index {_shown(indexed)}"
        seen = indexed, said
    return None


def _indexed(catalog: Catalog, bucket: Bucket, prefix: str = "") -> Iterator[Row]:
    for item in listed(catalog, bucket, prefix=prefix):
        if item.delete_marker:
            yield item.key, item.seq, item.version_id, item.latest, True, 0, ""
        elif (version := version_of(catalog, bucket, item)) is not None:
            yield item.key, item.seq, item.version_id, item.latest, False, version.size, version.etag


def _of_key(catalog: Catalog, bucket: Bucket, key: str) -> list[Row]:
    found = []
    for row in _indexed(catalog, bucket, key):
        if row[0] != key:
            break
        found.append(row)
    return found


def _asked(database: Reached, bucket: Bucket) -> Iterator[Row]:
    types: list[str] = []
    for answer in database.sql(Sql(_query(bucket))):
        if isinstance(answer, Columns):
            types = answer.types
        elif isinstance(answer, Rows):
            yield from map(_row, values(answer, types))


def _query(bucket: Bucket, key: str | None = None) -> str:
    """A bucket's name needs no quoting; a key is spelled by its bytes."""
    one = f" AND encode(key) = unhex('{key.encode().hex()}')" if key is not None else ""
    return f"SELECT {_COLUMNS} FROM versions WHERE bucket = '{bucket.name}'{one} ORDER BY key, seq DESC"


def _row(row: tuple[object, ...]) -> Row:
    return row  # type: ignore[return-value]  # as _COLUMNS says


def _shown(rows: list[Row]) -> str:
    return ", ".join(row[2] for row in rows) or "none"
