"""Times as S3 writes and reads them; inside the gateway a time is whole milliseconds since the epoch."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.utils import mktime_tz, parsedate_tz
from functools import lru_cache

Instant = int | datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)}
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_CLOCK = [f"{minute // 60:02}:{minute % 60:02}:" for minute in range(24 * 60)]
_SECONDS = [f"{second:02}" for second in range(60)]


def xml_time(instant: Instant) -> str:
    """`2026-11-21T10:00:00.000Z`: S3 shows whole seconds here, so that it agrees with Last-Modified."""
    day, second = divmod(_milliseconds(instant) // 1000, 86400)
    return f"{_iso_day(day)}{_CLOCK[second // 60]}{_SECONDS[second % 60]}.000Z"


def exact_time(instant: Instant) -> str:
    """As `xml_time`, with the milliseconds: for dates a client chose, such as a retention's end."""
    milliseconds = _milliseconds(instant)
    return f"{xml_time(milliseconds)[:-5]}.{milliseconds % 1000:03}Z"


def http_time(instant: Instant) -> str:
    """`Sat, 21 Nov 2026 10:00:00 GMT` (RFC 9110, IMF-fixdate)."""
    day, second = divmod(_milliseconds(instant) // 1000, 86400)
    return f"{_http_day(day)}{_CLOCK[second // 60]}{_SECONDS[second % 60]} GMT"


def parse_http_time(text: str) -> int | None:
    """Milliseconds of a date in any of the three forms of RFC 9110, or None."""
    if len(text) == 29 and text.endswith(" GMT"):
        try:
            month = _MONTH_NUMBERS[text[8:11]]
            clock = int(text[17:19]), int(text[20:22]), int(text[23:25])
            datetime(int(text[12:16]), month, int(text[5:7]), *clock)
            return timegm((int(text[12:16]), month, int(text[5:7]), *clock)) * 1000
        except (KeyError, ValueError):
            return None
    try:
        fields = parsedate_tz(text)
        return None if fields is None else int(mktime_tz(fields)) * 1000
    except (ValueError, OverflowError):
        return None


def parse_iso_time(text: str) -> int | None:
    """Milliseconds of an ISO 8601 time; one without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return _milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _milliseconds(instant: Instant) -> int:
    if isinstance(instant, int):
        return instant
    return timegm(instant.utctimetuple()) * 1000 + instant.microsecond // 1000


def _day_writer(write: Callable[[date], str]) -> Callable[[int], str]:
    return lru_cache(maxsize=4096)(lambda day: write(date.fromordinal(_EPOCH_ORDINAL + day)))


_iso_day = _day_writer(lambda day: f"{day.isoformat()}T")
_http_day = _day_writer(lambda day: f"{_DAYS[day.weekday()]}, {day.day:02} {_MONTHS[day.month - 1]} {day.year:04} ")
