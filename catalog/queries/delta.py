"""What changed in a bucket between two points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalog.database.client import Reached
from catalog.database.frames import Value
from catalog.database.tables.points import LATEST
from catalog.errors import InvalidFilter
from catalog.queries.pages import MAX_LIMIT, Page, check_limit, columns, cut, unpack, values
from catalog.queries.points import Point, resolve


@dataclass(frozen=True)
class Change:
    """`change` is added, removed or changed; `bytes` how many more there are; who and when are of the last mutation."""

    key: str
    change: str
    bytes: int
    size: int | None
    size_before: int | None
    version_id: str | None
    version_id_before: str | None
    e_tag: str | None
    e_tag_before: str | None
    seq: int
    record_timestamp: datetime
    requester: str | None
    source_ip_address: str | None
    request_id: str | None


def compute_version_delta(
    catalog: Reached,
    bucket: str,
    since: Point,
    until: Point = LATEST,
    limit: int = 1000,
    after: str | None = None,
) -> Page[Change]:
    """By key. `after` stands for both points too: the pages are of one delta, whatever is written meanwhile.

    Raises InvalidFilter.
    """
    check_limit(limit)
    behind = unpack(after, [str, int, int, str])
    if behind is None:
        points = resolve(catalog, bucket, {"since": since, "until": until})
        behind = [bucket, points["since"], points["until"], None]
    elif behind[0] != bucket:
        raise InvalidFilter("after", "it is the `next` of another bucket's delta")
    _, first, last, key = behind
    if first > last:
        raise InvalidFilter("since", f"it is sequence number {first}, behind `until`, which is {last}")
    changes: list[Change] = []
    most = limit + limit // 8 + 1
    while True:
        given: dict[str, Value] = {"bucket": bucket, "since": first, "until": last, "key": key, "most": most}
        touched = values(catalog, _PAGE, given, plain=True)
        changes += [Change(*row) for row in touched if row[1] is not None]
        if len(changes) > limit or len(touched) < most:
            return cut(changes[: limit + 1], limit, ["key"], [bucket, first, last])
        key, most = touched[-1][0], min(4 * most, MAX_LIMIT)


_PAGE = f"SELECT {columns(Change)} FROM delta_page($bucket, $since, $until, $key, $most) ORDER BY key"
