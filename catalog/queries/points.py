"""Points in the catalog's history: a sequence number, a time, or the latest mutation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from catalog.database.client import Reached
from catalog.database.frames import Value
from catalog.errors import InvalidFilter
from catalog.queries.pages import values

LATEST = "latest"

Point = int | datetime | str


def parse_point(field: str, text: str) -> Point:
    """A sequence number, a time (UTC, unless it says otherwise) or a name, by its looks. Raises InvalidFilter."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if text != LATEST:
        raise InvalidFilter(field, f"{text} is no sequence number, no time as 2025-10-10T12:00, and not {LATEST}")
    return text


def resolve(catalog: Reached, bucket: str, points: Mapping[str, Point]) -> dict[str, int]:
    """The sequence number of each, by the name of the argument it was. Raises InvalidFilter, also for the bucket."""
    given: dict[str, Value] = {"bucket": bucket}
    wanted = ["(SELECT count(*) FROM buckets WHERE bucket = $bucket)", "(SELECT coalesce(max(seq), 0) FROM journal)"]
    for field, point in points.items():
        expression, given_for = _expression(field, point)
        wanted.append(expression)
        given |= given_for
    ((known, last, *found),) = values(catalog, f"SELECT {', '.join(wanted)}", given)
    if not known:
        raise InvalidFilter("bucket", f"there is no bucket {bucket}")
    resolved = dict(zip(points, found, strict=True))
    for field, seq in resolved.items():
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
        return "(SELECT coalesce(max(seq), 0) FROM journal)", {}
    raise InvalidFilter(field, f"{point!r} is no point: give a sequence number, a time or {LATEST}")


def as_text(time: datetime) -> str:
    """In UTC, as SQL reads it; a time without a zone is UTC."""
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    return time.isoformat(sep=" ")
