"""Whether the numbers that are kept of what lies under each prefix are those of what lies there."""

from __future__ import annotations

from catalog.database.client import Reached, fetch
from catalog.database.frames import Sql
from catalog.records import Bucket

_COUNTS = ("objects", "bytes", "noncurrent_versions", "noncurrent_bytes", "delete_markers")


def miscounted(reached: Reached, bucket: Bucket) -> tuple[int, list[str]]:
    """How many prefixes there are, and some of those of which the numbers are wrong. Raises QueryFailed and others."""
    ((prefixes, wrong),) = fetch(reached, Sql(_MISCOUNTED, parameters={"bucket": bucket.name})).rows
    return prefixes, wrong or []


def stored(reached: Reached, bucket: str) -> int:
    """How many bytes all versions have, in one bucket, or in all for ""."""
    statement = "SELECT sum(bytes + noncurrent_bytes)::BIGINT FROM usage WHERE depth = 0 AND $bucket IN ('', bucket)"
    ((found,),) = fetch(reached, Sql(statement, parameters={"bucket": bucket})).rows
    return found or 0


def recount(reached: Reached) -> None:
    reached.recount()


_LEVEL = "regexp_extract(name, '^(?:[^/]*/){{0,{level}}}')"
_MISCOUNTED = f"""
WITH folder AS (
    SELECT
        regexp_extract(key, '^(?:[^/]*/){{0,4}}') AS name,
        count(*) FILTER (is_latest AND NOT is_delete_marker) AS objects,
        coalesce(sum(size) FILTER (is_latest AND NOT is_delete_marker), 0) AS bytes,
        count(*) FILTER (NOT is_latest AND NOT is_delete_marker) AS noncurrent_versions,
        coalesce(sum(size) FILTER (NOT is_latest AND NOT is_delete_marker), 0) AS noncurrent_bytes,
        count(*) FILTER (is_delete_marker) AS delete_markers
    FROM versions
    WHERE bucket = $bucket
    GROUP BY name
),
counted AS (
    SELECT depth, prefix, {", ".join(f"sum({name}) AS {name}" for name in _COUNTS)}
    FROM (
        SELECT
            *,
            unnest([0, 1, 2, 3, 4]) AS depth,
            unnest(['', {", ".join(_LEVEL.format(level=level) for level in (1, 2, 3))}, name]) AS prefix
        FROM folder
    )
    GROUP BY depth, prefix
),
kept AS (SELECT * FROM usage WHERE bucket = $bucket)
SELECT
    count(*),
    list(prefix ORDER BY depth, prefix)
        FILTER ({" OR ".join(f"counted.{name} IS DISTINCT FROM kept.{name}" for name in _COUNTS)})[:10]
FROM counted FULL JOIN kept USING (depth, prefix)
"""
