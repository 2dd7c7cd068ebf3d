"""The time a request says it was made at, and how far it may be from ours."""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from gateway.s3.errors import S3Error

MAX_SKEW = 15 * 60
LONGEST = 64  # characters of a date


class Moment(NamedTuple):
    """`stamp` in ISO 8601 basic form, `seconds` since the epoch, `sent` as it was written."""

    stamp: str
    seconds: float
    sent: str


def request_moment(headers: dict[str, str]) -> Moment:
    """x-amz-date goes before Date.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonRequestHeaders.html
    """
    sent = headers.get("x-amz-date")
    try:
        return _stamp(sent) if sent else _date(headers.get("date", ""))
    except ValueError:
        raise S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header") from None


def refuse_skew(moment: Moment, now: float) -> None:
    if abs(moment.seconds - now) > MAX_SKEW:
        raise S3Error(
            "RequestTimeTooSkewed",
            fields={
                "RequestTime": moment.sent,
                "ServerTime": iso_time(now),
                "MaxAllowedSkewMilliseconds": str(MAX_SKEW * 1000),
            },
        )


def parse_stamp(text: str) -> Moment | None:
    """Only yyyyMMdd'T'HHmmss'Z'."""
    try:
        return _stamp(text)
    except ValueError:
        return None


def parse_date(text: str) -> Moment | None:
    try:
        return _date(text)
    except ValueError:
        return None


def is_day(text: str) -> bool:
    return parse_stamp(f"{text}T000000Z") is not None


def iso_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


# What raises is not remembered: nobody fills the memory with long texts that are no times.
@functools.lru_cache(maxsize=1024)
def _stamp(text: str) -> Moment:
    digits = text[:8] + text[9:15]
    if len(text) != 16 or text[8] != "T" or text[15] != "Z" or not (digits.isascii() and digits.isdigit()):
        raise ValueError
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    moment = datetime(year, month, day, int(text[9:11]), int(text[11:13]), int(text[13:15]), tzinfo=UTC)
    return Moment(text, moment.timestamp(), text)


@functools.lru_cache(maxsize=1024)
def _date(text: str) -> Moment:
    if len(text) > LONGEST:
        raise ValueError
    if moment := parse_stamp(text):
        return moment
    try:
        date = parsedate_to_datetime(text)
        utc = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError from None
    return Moment(utc.strftime("%Y%m%dT%H%M%SZ"), utc.timestamp(), text)
