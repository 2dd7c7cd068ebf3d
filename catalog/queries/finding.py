"""Which versions have this content: by what identifies one, or because they are the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.database.client import Reached
from catalog.database.frames import Value
from catalog.errors import InvalidFilter
from catalog.queries.pages import Page, check_limit, columns, cut, rows, unpack
from catalog.queries.points import check_bucket


@dataclass(frozen=True)
class Artifact:
    """`found_by` is what was found: e_tag, checksum or version_id."""

    found_by: str
    bucket: str
    key: str
    version_id: str
    seq: int
    is_latest: bool
    size: int | None
    e_tag: str | None
    checksum_algorithm: str | None
    checksum_value: str | None
    last_modified_date: datetime


@dataclass(frozen=True)
class Duplicate:
    """One content, as far as ETag and size tell; `bytes_wasted` is what its copies after the first take."""

    e_tag: str
    size: int
    objects: int
    bytes_wasted: int
    keys: Sequence[str]


def find_by_artifact_id(
    catalog: Reached, artifact_id: str, limit: int = 1000, after: str | None = None
) -> Page[Artifact]:
    """The versions with this ETag (quoted or not), checksum (as S3 writes it) or version id. Raises InvalidFilter."""
    check_limit(limit)
    wanted = artifact_id.strip().strip('"')
    if wanted in ("", "null"):
        raise InvalidFilter("artifact_id", "it is an ETag, a checksum or a version id")
    behind = unpack(after, [int])
    given: dict[str, Value] = {
        "id": wanted,
        "composite": re.sub(r"-\d+$", "", wanted),
        "seq": None if behind is None else behind[0],
    }
    statement = f"SELECT {columns(Artifact)} FROM ({_FOUND}) ORDER BY seq LIMIT {limit + 1}"
    return cut(rows(catalog, Artifact, statement, given), limit, ["seq"])


def find_duplicates(catalog: Reached, bucket: str, limit: int = 1000, after: str | None = None) -> Page[Duplicate]:
    """The contents that a bucket holds more than once, the most wasteful first. Raises InvalidFilter."""
    check_limit(limit)
    behind = unpack(after, [int, str, int])
    check_bucket(catalog, bucket)
    given: dict[str, Value] = {"bucket": bucket}
    condition = "true"
    if behind is not None:
        given |= {"wasted": behind[0], "e_tag": behind[1], "size": behind[2]}
        condition = "bytes_wasted < $wasted OR bytes_wasted = $wasted AND (e_tag, size) > ($e_tag, $size)"
    order = f"ORDER BY bytes_wasted DESC, e_tag, size LIMIT {limit + 1}"
    statement = f"SELECT {columns(Duplicate)} FROM duplicates($bucket) WHERE {condition} {order}"
    return cut(rows(catalog, Duplicate, statement, given), limit, ["bytes_wasted", "e_tag", "size"])


# The catalog keeps the checksum of a multipart object without the number of its parts, which S3 writes behind it.
_FOUND = """
SELECT
    CASE WHEN e_tag = $id THEN 'e_tag' WHEN version_id = $id THEN 'version_id' ELSE 'checksum' END AS found_by,
    *
FROM versions
WHERE (
    e_tag = $id
    OR version_id = $id
    OR checksum_value = $id
    OR (checksum_value = $composite AND checksum_type = 'COMPOSITE')
)
AND ($seq::BIGINT IS NULL OR seq > $seq)
"""
