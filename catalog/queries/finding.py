"""Which versions have this content: by what identifies one, or because they are the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.database.client import Reached
from catalog.database.frames import Holders, Value
from catalog.errors import InvalidFilter
from catalog.queries.pages import Page, check_limit, columns, cut, rows, unpack
from catalog.queries.points import check_bucket
from catalog.records import Piece


@dataclass(frozen=True)
class Artifact:
    """`found_by` is what was found: body, e_tag, version_id or checksum.

    With `upload_id` it is a part of an upload under way, no version yet; `part_number` is the first to name the body.
    """

    found_by: str
    bucket: str
    key: str
    version_id: str | None
    seq: int
    is_latest: bool
    size: int | None
    e_tag: str | None
    checksum_algorithm: str | None
    checksum_value: str | None
    last_modified_date: datetime
    upload_id: str | None
    part_number: int | None


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
    """The versions with this ETag (quoted or not), checksum (as S3 writes it), version id or body.

    A body is named by its file under blobs/ (with the path or without), or as NAME.log:OFFSET of a segment of the log,
    where it begins; who names one may be a part of an upload under way, too. Raises InvalidFilter.
    """
    check_limit(limit)
    wanted = artifact_id.strip().strip('"')
    if wanted in ("", "null"):
        raise InvalidFilter("artifact_id", "it is an ETag, a checksum, a version id or a body")
    behind = unpack(after, [int, str | None, int | None]) or [-1, None, None]
    given: dict[str, Value] = {
        "artifact_id": wanted,
        "composite": re.sub(r"-\d+$", "", wanted),
        "seq": behind[0],
        "upload_id": behind[1] or "",
        "number": behind[2] or 0,
    }
    body = _body(wanted)
    holders = Holders([], []) if body is None else catalog.holders(body)
    found = _FOUND
    if holders.versions or holders.parts:
        found = _NAMED
        given |= _listed("seqs", "numbers", holders.versions) | _listed("uploads", "parts", holders.parts)
    statement = (
        f"SELECT {columns(Artifact)} FROM ({found})"
        " WHERE (seq, coalesce(upload_id, ''), coalesce(part_number, 0)) > ($seq, $upload_id, $number)"
        f" ORDER BY seq, upload_id, part_number LIMIT {limit + 1}"
    )
    return cut(rows(catalog, Artifact, statement, given, plain=True), limit, ["seq", "upload_id", "part_number"])


def _body(text: str) -> Piece | None:
    """Where bytes may lie that are named like this."""
    blob = re.fullmatch(r"(?:.*/)?([0-9a-f]{32})", text)
    if blob is not None:
        return Piece(0, blob=bytes.fromhex(blob[1]))
    place = re.fullmatch(r"(?:.*/)?([0-9a-f]{16})\.log:(\d{1,18})", text)
    return None if place is None else Piece(0, int(place[1], 16), int(place[2]))


def _listed(names: str, numbers: str, found: Sequence[tuple[object, int]]) -> dict[str, Value]:
    """As text, for a list cannot be bound."""
    return {
        names: ",".join(str(name) for name, _ in found) or None,
        numbers: ",".join(str(number) for _, number in found) or None,
    }


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
    CASE $artifact_id WHEN e_tag THEN 'e_tag' WHEN version_id THEN 'version_id' ELSE 'checksum' END AS found_by,
    *,
    NULL::VARCHAR AS upload_id,
    NULL::INTEGER AS part_number
FROM versions
WHERE (
    e_tag = $artifact_id
    OR version_id = $artifact_id
    OR checksum_value = $artifact_id
    OR (checksum_value = $composite AND checksum_type = 'COMPOSITE')
)
"""
_NAMED = f"""
WITH version AS (
    SELECT unnest(string_split($seqs::VARCHAR, ','))::BIGINT AS seq,
        unnest(string_split($numbers::VARCHAR, ','))::INTEGER AS number
),
part AS (
    SELECT unnest(string_split($uploads::VARCHAR, ',')) AS upload_id,
        unnest(string_split($parts::VARCHAR, ','))::INTEGER AS part_number
)
SELECT 'body' AS found_by, v.*, NULL AS upload_id, nullif(n.number, 0) AS part_number
FROM versions AS v JOIN version AS n USING (seq)
UNION ALL BY NAME
SELECT 'body' AS found_by, p.*, 0 AS seq, false AS is_latest
FROM parts AS p SEMI JOIN part USING (upload_id, part_number)
UNION ALL BY NAME
FROM ({_FOUND}) ANTI JOIN version USING (seq)
"""
