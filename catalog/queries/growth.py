"""Usage over time: how it grew, by day, week or month, and where that leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from catalog.database.client import Reached
from catalog.database.frames import Value
from catalog.errors import InvalidFilter
from catalog.queries.pages import Page, check_limit, columns, cut, rows, unpack, values
from catalog.queries.points import check_bucket
from catalog.queries.trend import LEAST, Trend, trend

EVERY = ("day", "week", "month")
LEVELS = 4  # of prefixes whose history is kept
MOST_DAYS = 730
HORIZONS = (7, 30, 90, 365)
_FARTHEST = 3650  # days: what is full later, is said not to be


@dataclass(frozen=True)
class Growth:
    """What lay under `name` at the end of the period that began on `period` (of this one: now), and how much more."""

    name: str
    period: date
    objects: int
    bytes: int
    noncurrent_bytes: int
    objects_more: int
    bytes_more: int
    noncurrent_bytes_more: int


@dataclass(frozen=True)
class Ahead:
    """On `day` there will be so many `bytes`; 8 of 10 times between `low` and `high`."""

    day: date
    bytes: int
    low: int
    high: int


@dataclass(frozen=True)
class Forecast:
    """`bytes` are those of all versions now, `per_day` what comes to them a day by a history of so many `days`.

    The three dates are when `capacity` is full at that pace, and the earliest and latest (8 of 10 times it is between
    them); None is not within ten years. `too_short` says why nothing is foretold, None where it is.
    """

    bytes: int
    days: int
    capacity: int
    too_short: str | None = None
    per_day: int | None = None
    full_on: date | None = None
    full_earliest: date | None = None
    full_latest: date | None = None
    ahead: tuple[Ahead, ...] = ()


def get_growth(
    catalog: Reached,
    every: str = "day",
    bucket: str | None = None,
    prefix: str | None = None,
    depth: int | None = None,
    since: date | None = None,
    until: date | None = None,
    limit: int = 1000,
    after: str | None = None,
) -> Page[Growth]:
    """Of each bucket or of one; of all that lies under a prefix of it; or of each of its prefixes at a depth.

    Weeks begin on Monday, days at midnight UTC. A period at whose end nothing lay there is left out, but for the first.
    Raises InvalidFilter.
    """
    check_limit(limit)
    if every not in EVERY:
        raise InvalidFilter("every", f"growth is by {', '.join(EVERY)}, not by {every}")
    if since is not None and until is not None and since > until:
        raise InvalidFilter("since", f"it is behind `until`, {until}")
    given = _place(bucket, prefix, depth)
    if bucket is not None:
        check_bucket(catalog, bucket)
    behind = unpack(after, [str, date]) or [None, None]
    condition = _condition(given)
    given |= {"since": _text(since), "until": _text(until), "name": behind[0], "period": _text(behind[1])}
    by = "bucket" if prefix is None and depth is None else "prefix"
    statement = _GROWTH.format(every=every, by=by, condition=condition, columns=columns(Growth))
    found = rows(catalog, Growth, f"{statement} LIMIT {limit + 1}", given)
    return cut(found, limit, ["name", "period"])


def get_forecast(
    catalog: Reached,
    bucket: str | None = None,
    prefix: str | None = None,
    capacity: int | None = None,
    free: int | None = None,
    days: int = 90,
) -> Forecast:
    """Of all buckets, of one, or of what lies under a prefix; by the last `days`, as far as there is history.

    `capacity` is how many bytes it may come to, or `free` how many more. Raises InvalidFilter.
    """
    if (capacity is None) == (free is None):
        raise InvalidFilter("capacity", "give how many bytes it may come to, or how many are free")
    for field, size in (("capacity", capacity), ("free", free)):
        if size is not None and not 0 <= size < 2**63:
            raise InvalidFilter(field, "it is 0 or more bytes")
    if not LEAST <= days <= MOST_DAYS:
        raise InvalidFilter("days", f"it is {LEAST} to {MOST_DAYS}")
    given = _place(bucket, prefix)
    if bucket is not None:
        check_bucket(catalog, bucket)
    statement, today = _DAILY.format(condition=_condition(given)), datetime.now(UTC).date()
    given |= {"since": _text(today - timedelta(days))}
    found = dict(values(catalog, statement, given))
    first = min(found, default=today)
    # Today is not over: it is where the trend starts from, but says nothing of how much a day brings.
    ends = [int(found.get(first + timedelta(day), 0)) for day in range((today - first).days)]
    now = int(found.get(today, 0))
    limit = capacity if capacity is not None else now + (free or 0)
    if len(ends) < LEAST:
        why = f"there are {len(ends)} whole days of history, and {LEAST} are needed"
        return Forecast(now, len(ends), limit, why)
    line = trend(ends, now)
    full_on, full_latest, full_earliest = (_reached(line, limit, today, which) for which in range(3))
    return Forecast(
        now,
        len(ends),
        limit,
        per_day=round(line.slope),
        full_on=full_on,
        full_earliest=full_earliest,
        full_latest=full_latest,
        ahead=tuple(_ahead(line, today, horizon) for horizon in HORIZONS),
    )


def _reached(line: Trend, limit: int, today: date, which: int) -> date | None:
    """The first day on which one of the three numbers is as many."""
    found = (day for day in range(_FARTHEST + 1) if line.ahead(day)[which] >= limit)
    return next((today + timedelta(day) for day in found), None)


def _ahead(line: Trend, today: date, days: int) -> Ahead:
    middle, low, high = (max(0, round(number)) for number in line.ahead(days))
    return Ahead(today + timedelta(days), middle, low, high)


def _place(bucket: str | None, prefix: str | None, depth: int | None = None) -> dict[str, Value]:
    """What is bound for it: at the depth of a prefix its row is of all that lies under it. Raises InvalidFilter."""
    for field, given in (("prefix", prefix), ("depth", depth)):
        if given is not None and bucket is None:
            raise InvalidFilter("bucket", f"a {field} is of one bucket")
    if prefix is not None and depth is not None:
        raise InvalidFilter("depth", "give a prefix, or a depth for all prefixes there")
    if depth is not None and not 0 <= depth <= LEVELS:
        raise InvalidFilter("depth", f"it is 0 to {LEVELS}")
    if prefix and not prefix.endswith("/"):
        raise InvalidFilter("prefix", "history is kept of folders: it ends with /")
    if prefix and prefix.count("/") > LEVELS:
        raise InvalidFilter("prefix", f"history is kept of {LEVELS} levels of folders")
    bound: dict[str, Value] = {"depth": depth if depth is not None else (prefix or "").count("/")}
    return bound | {name: value for name, value in (("bucket", bucket), ("prefix", prefix)) if value is not None}


def _condition(given: dict[str, Value]) -> str:
    return " AND ".join(f"{name} = ${name}" for name in given)


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


_DAILY = """
SELECT day, sum(bytes + noncurrent_bytes)::BIGINT
FROM usage_daily
WHERE {condition} AND day >= $since::DATE AND day <= current_date
GROUP BY day
"""
# The view has no row for a day at whose end nothing lay there: the period in which that came to be is added.
_GROWTH = """
WITH ending AS (
    SELECT
        name,
        period,
        max(day) = least((period + INTERVAL 1 {every})::DATE - 1, current_date) AS held,
        if(held, arg_max(objects, day), 0) AS objects,
        if(held, arg_max(bytes, day), 0) AS bytes,
        if(held, arg_max(noncurrent_bytes, day), 0) AS noncurrent_bytes
    FROM (
        SELECT {by} AS name, date_trunc('{every}', day)::DATE AS period, day, objects, bytes, noncurrent_bytes
        FROM usage_daily
        WHERE {condition} AND day <= current_date
    )
    GROUP BY name, period
),
period AS (
    SELECT name, period, objects, bytes, noncurrent_bytes FROM ending
    UNION ALL
    SELECT name, following, 0, 0, 0
    FROM (
        SELECT
            name,
            held,
            (period + INTERVAL 1 {every})::DATE AS following,
            lead(period) OVER (PARTITION BY name ORDER BY period) AS next
        FROM ending
    )
    WHERE held AND following <= current_date AND next IS DISTINCT FROM following
),
grown AS (
    SELECT
        *,
        objects - lag(objects, 1, 0) OVER periods AS objects_more,
        bytes - lag(bytes, 1, 0) OVER periods AS bytes_more,
        noncurrent_bytes - lag(noncurrent_bytes, 1, 0) OVER periods AS noncurrent_bytes_more
    FROM period
    WINDOW periods AS (PARTITION BY name ORDER BY period)
)
SELECT {columns}
FROM grown
WHERE (objects <> 0 OR noncurrent_bytes <> 0 OR objects_more <> 0 OR noncurrent_bytes_more <> 0)
    AND ($since::DATE IS NULL OR period >= date_trunc('{every}', $since::DATE))
    AND ($until::DATE IS NULL OR period <= $until::DATE)
    AND ($name::VARCHAR IS NULL OR (name, period) > ($name, $period::DATE))
ORDER BY name, period"""
