"""What a step of a bucket's lifecycle rules is about: found by age and scope, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalog.database.client import Reached
from catalog.database.frames import Value
from catalog.lifecycle import ABORT, EXPIRE, REMOVE_MARKER, REMOVE_NONCURRENT, Scope, Step
from catalog.queries.pages import Page, check_limit, cut, rows, unpack
from catalog.queries.points import as_text

_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Candidate:
    """A version (`seq`), or an upload (`upload_id`), old enough for a step.

    `since` is when a noncurrent version was hidden last, None where the journal does not say; of all else, when it was
    made.
    """

    key: str
    seq: int
    upload_id: str
    size: int
    since: datetime | None

    @property
    def milliseconds(self) -> int | None:
        """`since`, as records have it."""
        return None if self.since is None else (self.since - _EPOCH) // timedelta(milliseconds=1)


def list_candidates(
    catalog: Reached, bucket: str, step: Step, limit: int = 10_000, after: str | None = None
) -> Page[Candidate]:
    """In the order in which they were made. A page of noncurrent versions has some that are not old enough yet.

    How each stands among the versions of its key is not looked at. Raises InvalidFilter.
    """
    check_limit(limit)
    behind = unpack(after, [int, str]) or [-1, ""]
    condition, given = _condition(step.scope)
    given |= {"bucket": bucket, "seq": behind[0], "upload_id": behind[1]}
    if step.before is not None:
        column = "initiated" if step.kind == ABORT else "last_modified_date"
        condition += f" AND {column} < $before::TIMESTAMP"
        given["before"] = as_text(_EPOCH.replace(tzinfo=UTC) + timedelta(milliseconds=step.before))
    statement = _STATEMENTS[step.kind].format(condition=condition, limit=limit + 1)
    return cut(rows(catalog, Candidate, statement, given, plain=True), limit, ["seq", "upload_id"])


def _condition(scope: Scope) -> tuple[str, dict[str, Value]]:
    conditions, given = ["bucket = $bucket"], dict[str, Value]()
    if scope.prefix:
        conditions.append("starts_with(key, $prefix)")
        given["prefix"] = scope.prefix
    if scope.above is not None:
        conditions.append("coalesce(size, 0) > $above")
        given["above"] = scope.above
    if scope.below is not None:
        conditions.append("coalesce(size, 0) < $below")
        given["below"] = scope.below
    for number, (name, value) in enumerate(scope.tags.items()):
        conditions.append(f"object_tags[$tag_{number}] = $tag_{number}_is")
        given |= {f"tag_{number}": name, f"tag_{number}_is": value}
    return " AND ".join(conditions), given


_OF_VERSIONS = """
SELECT key, seq, '' AS upload_id, coalesce(size, 0) AS size, last_modified_date AS since
FROM versions
WHERE {condition} AND seq > $seq AND $upload_id = '' AND %s
ORDER BY seq
LIMIT {limit}
"""
# A version was hidden when it was first named by a put behind the last removal that made it the latest again.
_NONCURRENT = f"""
WITH page AS MATERIALIZED ({_OF_VERSIONS % "NOT is_latest"}),
turn AS MATERIALIZED (
    SELECT j.previous, j.seq, j.record_timestamp, j.operation = 'VersionRemoved' AS shows
    FROM journal AS j
    SEMI JOIN page AS p ON p.seq = j.previous
    WHERE j.seq > $seq
),
shown AS (SELECT previous, max(seq) AS seq FROM turn WHERE shows GROUP BY previous),
hidden AS (
    SELECT t.previous AS seq, min(t.record_timestamp) AS since
    FROM turn AS t
    LEFT JOIN shown AS s USING (previous)
    WHERE NOT t.shows AND t.seq > coalesce(s.seq, 0)
    GROUP BY t.previous
)
SELECT p.key, p.seq, p.upload_id, p.size, h.since
FROM page AS p
LEFT JOIN hidden AS h USING (seq)
ORDER BY p.seq
"""
_UPLOADS = """
SELECT key, -1::BIGINT AS seq, upload_id, 0::BIGINT AS size, initiated AS since
FROM uploads
WHERE {condition} AND upload_id > $upload_id AND $seq = -1
ORDER BY upload_id
LIMIT {limit}
"""
_STATEMENTS = {
    EXPIRE: _OF_VERSIONS % "is_latest AND NOT is_delete_marker",
    REMOVE_MARKER: _OF_VERSIONS % "is_latest AND is_delete_marker",
    REMOVE_NONCURRENT: _NONCURRENT,
    ABORT: _UPLOADS,
}
