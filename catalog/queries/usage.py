"""What takes the space: by what one likes, and on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from catalog.database.client import Reached
from catalog.database.frames import Value
from catalog.errors import InvalidFilter
from catalog.queries.pages import columns, rows
from catalog.queries.points import check_bucket

_AGE = """CASE
    WHEN {time} > now()::TIMESTAMP - INTERVAL 1 DAY THEN 'under 1 day'
    WHEN {time} > now()::TIMESTAMP - INTERVAL 7 DAY THEN 'under 7 days'
    WHEN {time} > now()::TIMESTAMP - INTERVAL 30 DAY THEN 'under 30 days'
    WHEN {time} > now()::TIMESTAMP - INTERVAL 90 DAY THEN 'under 90 days'
    WHEN {time} > now()::TIMESTAMP - INTERVAL 365 DAY THEN 'under 365 days'
    ELSE '365 days and more'
END"""
_FOLDER = "regexp_extract(key, '^(?:[^/]*/){0,{depth}}')"  # as the view usage has it
# What versions and uploads are grouped by: {time} is when either came.
GROUPS = {
    "bucket": "bucket",
    "prefix": _FOLDER,
    "tag": "object_tags[$tag]",
    "owner": "owner",
    "storage_class": "storage_class",
    "content_type": "content_type",
    "age": _AGE,
}
MAX_DEPTH = 100


@dataclass(frozen=True)
class Usage:
    """`bytes` are of the current objects, `upload_bytes` of the parts of uploads that are not complete.

    `name` is the bucket, prefix, value, ... that the rest is of, None what has none.
    """

    name: str | None
    objects: int
    bytes: int
    noncurrent_versions: int
    noncurrent_bytes: int
    delete_markers: int
    uploads: int
    upload_bytes: int


@dataclass(frozen=True)
class StorageUsage:
    """The groups, the largest first, and their sum."""

    by: str
    groups: tuple[Usage, ...]
    total: Usage


@dataclass(frozen=True)
class DiskUsage:
    """Bytes that the data folder takes, as `du` counts them: holes are nothing, a folder is something."""

    blobs: int
    log: int
    database: int
    index: int
    other: int
    total: int


def get_storage_usage(
    catalog: Reached, by: str = "bucket", bucket: str | None = None, depth: int | None = None, tag: str | None = None
) -> StorageUsage:
    """By one of GROUPS; `depth` is for prefixes (1 where none is given), `tag` the key of the tag.

    Raises InvalidFilter.
    """
    if by not in GROUPS:
        raise InvalidFilter("by", f"usage is by {', '.join(GROUPS)}, not by {by}")
    if (by == "tag") != (tag is not None and tag != ""):
        raise InvalidFilter("tag", "it names the tag where usage is by tag, and only there")
    if by == "prefix" and bucket is None:
        raise InvalidFilter("bucket", "usage by prefix is of one bucket")
    if depth is not None and by != "prefix":
        raise InvalidFilter("depth", "it is for usage by prefix alone")
    depth = 1 if depth is None else depth
    if not 0 <= depth <= MAX_DEPTH:
        raise InvalidFilter("depth", f"it is 0 to {MAX_DEPTH}")
    given: dict[str, Value] = {}
    if bucket is not None:
        check_bucket(catalog, bucket)
        given["bucket"] = bucket
    if tag is not None:
        given["tag"] = tag
    found = rows(catalog, Usage, _statement(by, bucket is not None, depth), given)
    return StorageUsage(by, tuple(found), _sum(found))


def get_disk_usage(directory: Path) -> DiskUsage:
    """Of everything in a data folder."""
    parts = {"blobs": 0, "log": 0, "catalog.duckdb": 0, "index": 0}
    total = 0
    for path, taken in _taken(directory):
        total += taken
        first = path.relative_to(directory).parts[:1]
        name = "catalog.duckdb" if first and first[0].startswith("catalog.duckdb") else "".join(first)
        if name in parts:
            parts[name] += taken
    blobs, log, database, index = parts.values()
    return DiskUsage(blobs, log, database, index, total - blobs - log - database - index, total)


def get_free_bytes(directory: Path) -> int:
    """What is left for Ducket on the disk that a data folder lies on."""
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize


def _taken(directory: Path) -> Iterator[tuple[Path, int]]:
    for folder, _, names in os.walk(directory):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            try:
                yield path, path.lstat().st_blocks * 512
            except FileNotFoundError:  # gone meanwhile
                continue


def _sum(groups: list[Usage]) -> Usage:
    counts = [field.name for field in fields(Usage)[1:]]
    return Usage(None, *(sum(getattr(group, name) for group in groups) for name in counts))


def _statement(by: str, one_bucket: bool, depth: int) -> str:
    condition = "bucket = $bucket" if one_bucket else "true"
    group = GROUPS[by].replace("{depth}", str(depth))
    uploads = f"""
        SELECT {group.replace("{time}", "u.initiated")} AS name, 0, 0, 0, 0, 0, 1, coalesce(p.bytes, 0)
        FROM uploads AS u LEFT JOIN held AS p USING (upload_id)
        WHERE {condition}"""
    return f"""
WITH held AS (SELECT upload_id, sum(size) AS bytes FROM parts GROUP BY upload_id),
counted AS ({_versions(by, group, condition, depth)} UNION ALL {uploads})
SELECT {columns(Usage)} FROM (
    SELECT name, {", ".join(f"sum({field.name})::BIGINT AS {field.name}" for field in fields(Usage)[1:])}
    FROM counted AS c
    GROUP BY name
)
ORDER BY bytes + noncurrent_bytes + upload_bytes DESC, name
"""


def _versions(by: str, group: str, condition: str, depth: int) -> str:
    """What is kept with every write is read; the rest is counted."""
    kept = "objects, bytes, noncurrent_versions, noncurrent_bytes, delete_markers, 0 AS uploads, 0 AS upload_bytes"
    if by == "bucket":
        return f"SELECT bucket AS name, {kept} FROM usage WHERE depth = 0 AND {condition}"
    if by == "prefix":
        return f"SELECT prefix AS name, {kept} FROM usage($bucket, {depth})"
    return f"""
        SELECT
            {group.replace("{time}", "last_modified_date")} AS name,
            count(*) FILTER (is_latest AND NOT is_delete_marker) AS objects,
            coalesce(sum(size) FILTER (is_latest AND NOT is_delete_marker), 0) AS bytes,
            count(*) FILTER (NOT is_latest AND NOT is_delete_marker) AS noncurrent_versions,
            coalesce(sum(size) FILTER (NOT is_latest AND NOT is_delete_marker), 0) AS noncurrent_bytes,
            count(*) FILTER (is_delete_marker) AS delete_markers,
            0 AS uploads,
            0 AS upload_bytes
        FROM versions
        WHERE {condition}
        GROUP BY 1"""
