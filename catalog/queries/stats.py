"""A bucket in numbers, as it is or as it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalog.database.client import Reached
from catalog.database.frames import Value
from catalog.queries.pages import columns, rows
from catalog.queries.points import Point, resolve


@dataclass(frozen=True)
class VersionStats:
    """`bytes` are of the current objects, as are the sizes; `keys` counts those with a version or delete marker."""

    keys: int
    objects: int
    bytes: int
    noncurrent_versions: int
    noncurrent_bytes: int
    delete_markers: int
    smallest: int | None
    median: int | None
    largest: int | None
    first_modified: datetime | None
    last_modified: datetime | None


def get_version_stats(catalog: Reached, bucket: str, at: Point | None = None) -> VersionStats:
    """Raises InvalidFilter."""
    found = resolve(catalog, bucket, {} if at is None else {"at": at})
    given: dict[str, Value] = {"bucket": bucket, **found}
    version = _NOW if at is None else _THEN
    (stats,) = rows(catalog, VersionStats, f"WITH version AS ({version}) {_STATS}", given)
    return stats


_CURRENT = "is_latest AND NOT is_delete_marker"
_NONCURRENT = "NOT is_latest AND NOT is_delete_marker"
_STATS = f"""
SELECT {columns(VersionStats)} FROM (
    SELECT
        count(*) FILTER (is_latest) AS keys,
        count(*) FILTER ({_CURRENT}) AS objects,
        coalesce(sum(size) FILTER ({_CURRENT}), 0) AS bytes,
        count(*) FILTER ({_NONCURRENT}) AS noncurrent_versions,
        coalesce(sum(size) FILTER ({_NONCURRENT}), 0) AS noncurrent_bytes,
        count(*) FILTER (is_delete_marker) AS delete_markers,
        min(size) FILTER ({_CURRENT}) AS smallest,
        quantile_disc(size, 0.5) FILTER ({_CURRENT}) AS median,
        max(size) FILTER ({_CURRENT}) AS largest,
        min(last_modified_date) FILTER ({_CURRENT}) AS first_modified,
        max(last_modified_date) FILTER ({_CURRENT}) AS last_modified
    FROM version
)
"""
_NOW = "SELECT key, size, is_latest, is_delete_marker, last_modified_date FROM versions WHERE bucket = $bucket"
# The journal says which version each put hid, and which one each removal uncovered.
_THEN = """
SELECT j.key, j.size, hidden.version IS NULL AS is_latest, j.is_delete_marker, j.last_modified_date
FROM journal AS j
ANTI JOIN (
    SELECT e.ended FROM journal AS e WHERE e.bucket = $bucket AND e.seq <= $at AND e.ended IS NOT NULL
) AS gone ON gone.ended = j.seq
LEFT JOIN (
    SELECT h.previous AS version
    FROM journal AS h
    WHERE h.bucket = $bucket AND h.seq <= $at AND h.previous IS NOT NULL
    GROUP BY h.previous
    HAVING arg_max(h.operation <> 'VersionRemoved', h.seq)
) AS hidden ON hidden.version = j.seq
WHERE j.bucket = $bucket AND j.seq <= $at AND j.operation IN ('ObjectPut', 'DeleteMarkerPut')
"""
