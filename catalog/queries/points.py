"""Points in a bucket's history: a sequence number, a time, a name that somebody gave to one, or the latest mutation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.database.client import Reached
from catalog.database.frames import Value
from catalog.database.tables.points import LATEST
from catalog.errors import InvalidFilter
from catalog.queries.pages import columns, rows, values

Point = int | datetime | str


@dataclass(frozen=True)
class NamedPoint:
    """`name` stands for the state behind the mutation `seq`; `creation_date` is when it was given."""

    bucket: str
    name: str
    seq: int
    creation_date: datetime


@dataclass(frozen=True)
class LatestPoint:
    """The last mutation in a bucket, or of it."""

    bucket: str
    seq: int
    record_timestamp: datetime


def set_point(catalog: Reached, bucket: str, name: str, at: Point = LATEST) -> NamedPoint:
    """Name a point; what had the name loses it. Raises InvalidFilter, and QueryRefused for the name."""
    catalog.name_point(bucket, name, resolve(catalog, bucket, {"at": at})["at"])
    return get_point(catalog, bucket, name)


def get_point(catalog: Reached, bucket: str, name: str) -> NamedPoint:
    """Raises InvalidFilter."""
    check_bucket(catalog, bucket)
    found = rows(catalog, NamedPoint, f"{_NAMED} AND name = $name", {"bucket": bucket, "name": name})
    if not found:
        raise InvalidFilter("name", f"there is no point {name} in {bucket}")
    return found[0]


def list_points(catalog: Reached, bucket: str) -> tuple[NamedPoint, ...]:
    """In the order of the history. Raises InvalidFilter."""
    check_bucket(catalog, bucket)
    return tuple(rows(catalog, NamedPoint, f"{_NAMED} ORDER BY seq, name", {"bucket": bucket}))


def latest_point(catalog: Reached, bucket: str) -> LatestPoint:
    """Raises InvalidFilter."""
    check_bucket(catalog, bucket)
    statement = (
        "SELECT bucket, max(seq) AS seq, max(record_timestamp) AS record_timestamp"
        " FROM journal WHERE bucket = $bucket GROUP BY bucket"
    )
    found = rows(catalog, LatestPoint, statement, {"bucket": bucket})
    if not found:  # the catalog was made anew, and the bucket was empty
        raise InvalidFilter("bucket", f"the journal has nothing of {bucket}")
    return found[0]


def parse_point(text: str) -> Point:
    """A sequence number, a time (UTC, unless it says otherwise) or a name, by its looks."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def resolve(catalog: Reached, bucket: str, points: Mapping[str, Point]) -> dict[str, int]:
    """The sequence number of each, by the name of the argument it was. Raises InvalidFilter, also for the bucket."""
    given: dict[str, Value] = {"bucket": bucket}
    wanted = ["(SELECT count(*) FROM buckets WHERE bucket = $bucket)", _LAST if points else "0"]
    for field, point in points.items():
        expression, given_for = _expression(field, point)
        wanted.append(expression)
        given |= given_for
    ((known, last, *found),) = values(catalog, f"SELECT {', '.join(wanted)}", given)
    if not known:
        raise InvalidFilter("bucket", f"there is no bucket {bucket}")
    resolved = dict(zip(points, found, strict=True))
    for field, seq in resolved.items():
        if seq is None:
            raise InvalidFilter(field, f"{points[field]} is no time, and no name of a point in {bucket}")
        if seq > last:
            raise InvalidFilter(field, f"the last mutation has the sequence number {last}")
    return resolved


def check_bucket(catalog: Reached, bucket: str) -> None:
    """Raises InvalidFilter."""
    resolve(catalog, bucket, {})


def _expression(field: str, point: Point) -> tuple[str, dict[str, Value]]:
    """SQL for the sequence number, and the values bound to it."""
    if isinstance(point, datetime):
        return f"seq_at(${field})", {field: as_text(point)}
    if isinstance(point, int) and not isinstance(point, bool):
        if not 0 <= point < 2**63:
            raise InvalidFilter(field, "a sequence number is 0 or more")
        return f"${field}::BIGINT", {field: point}
    if point == LATEST:
        return _LAST, {}
    if isinstance(point, str):
        return f"(SELECT p.seq FROM named_points AS p WHERE p.bucket = $bucket AND p.name = ${field})", {field: point}
    raise InvalidFilter(field, f"{point!r} is no point: give a sequence number, a time or a name")


def as_text(time: datetime) -> str:
    """In UTC, as SQL reads it; a time without a zone is UTC."""
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    return time.isoformat(sep=" ")


_NAMED = f"SELECT {columns(NamedPoint)} FROM named_points WHERE bucket = $bucket"
_LAST = "(SELECT coalesce(max(seq), 0) FROM journal)"
