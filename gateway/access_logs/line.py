"""One line of an access log.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from gateway.s3.times import http_time

NONE = "-"
PLAIN = "/-_.~"  # what stands in a key as it is, beside letters and digits
UNFIT = re.compile(r"[^\x20\x21\x23-\x7e]")  # what would end a text in quotes, or its line
SPACES = re.compile(r"\s")


class Log(NamedTuple):
    """Which log a line belongs to: the bucket's, delivered as its configuration said when the request came."""

    bucket: str
    owner: str
    region: str
    configuration: str


class Entry(NamedTuple):
    """What a line says. `time` is in seconds since the epoch, durations are in milliseconds; `status` 0 is none."""

    log: Log
    time: float
    remote_ip: str
    requester: str
    request_id: str
    operation: str
    key: str | None
    uri: str | None
    status: int
    error: str
    sent: int
    size: int | None
    total_time: float | None
    turn_around_time: float | None
    referer: str | None
    user_agent: str | None
    version_id: str | None
    host_id: str
    signature: str
    cipher: str
    authentication: str
    host: str
    tls: str
    acl_required: bool


encode_entries = msgspec.msgpack.Encoder().encode
decode_entries = msgspec.msgpack.Decoder(list[Entry]).decode


def line_of(entry: Entry) -> str:
    """Without the end of the line."""
    return " ".join(
        (
            entry.log.owner,
            entry.log.bucket,
            f"[{stamp(entry.time)}]",
            entry.remote_ip or NONE,
            entry.requester or NONE,
            entry.request_id,
            entry.operation,
            NONE if entry.key is None else quote(quote(entry.key, PLAIN), PLAIN),
            NONE if entry.uri is None else quoted(entry.uri),
            number(entry.status or None),
            entry.error or NONE,
            number(entry.sent or None),
            number(entry.size),
            number(entry.total_time),
            number(entry.turn_around_time),
            quoted(entry.referer),
            quoted(entry.user_agent),
            word(entry.version_id),
            entry.host_id,
            entry.signature or NONE,
            entry.cipher or NONE,
            entry.authentication or NONE,
            word(entry.host),
            entry.tls or NONE,
            NONE,  # there are no access points
            "Yes" if entry.acl_required else NONE,
        )
    )


def stamp(seconds: float) -> str:
    """`%d/%b/%Y:%H:%M:%S %z` in UTC, in whatever language the server runs."""
    text = http_time(int(seconds * 1000))
    return f"{text[5:7]}/{text[8:11]}/{text[12:16]}:{text[17:25]} +0000"


def quoted(text: str | None) -> str:
    """What does not fit in between the quotes is percent-encoded: readers look for the next quote."""
    return f'"{UNFIT.sub(escaped, text) if text else NONE}"'


def word(text: str | None) -> str:
    return SPACES.sub(escaped, UNFIT.sub(escaped, text)) if text else NONE


def escaped(found: re.Match[str]) -> str:
    return quote(found[0], safe="")


def number(value: float | None) -> str:
    return NONE if value is None else str(round(value))
