"""What a signed request says of itself, not yet proved: by whose key, for which scope, over which headers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from gateway.auth.dates import is_day
from gateway.s3.errors import S3Error

MOST_REMEMBERED = 1024  # characters: longer texts, which anybody can send, are read anew each time


Malformed = Callable[[str, dict[str, str] | None], S3Error]


class Credential(NamedTuple):
    access_key: str
    day: str
    region: str
    scope: str


@dataclass(frozen=True, slots=True, eq=False)
class SignedHeaders:
    """`text` is the list as sent, `names` its names in their order; `template % values(headers)` are their lines."""

    text: str
    names: tuple[str, ...]
    known: frozenset[str]
    template: str
    values: Callable[[dict[str, str]], Any]


class Claim(NamedTuple):
    """`stamp` is the request's time in ISO 8601 basic form, `query` the canonical one."""

    credential: Credential
    signed: SignedHeaders
    signature: str
    stamp: str
    query: str
    payload_hash: str


def parse_credential(text: str, region: str, malformed: Malformed) -> Credential:
    """`malformed` makes the error of the place the credential stood in. An access key may hold slashes."""
    parts = text.rsplit("/", 4)
    if len(parts) != 5:
        raise malformed(
            'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
            None,
        )
    access_key, day, claimed_region, service, terminal = parts
    if not access_key:
        raise malformed("a non-empty Access Key (AKID) must be provided in the credential.", None)
    if service != "s3":
        raise malformed(f'incorrect service "{service}". This endpoint belongs to "s3".', None)
    if terminal != "aws4_request":
        raise malformed(f'incorrect terminal "{terminal}". This endpoint uses "aws4_request".', None)
    if not is_day(day):
        raise malformed(
            f'incorrect date format "{day}". This date in the credential must be in the format "yyyyMMdd".',
            None,
        )
    if claimed_region != region:
        raise malformed(f"the region '{claimed_region}' is wrong; expecting '{region}'", {"Region": region})
    return Credential(access_key, day, region, f"{day}/{region}/s3/aws4_request")


def parse_signed_headers(text: str) -> SignedHeaders:
    return _remembered(text) if len(text) <= MOST_REMEMBERED else _signed_headers(text)


def _signed_headers(text: str) -> SignedHeaders:
    names = tuple(text.lower().split(";"))
    template = "\n".join(f"{name.replace('%', '%%')}:%s" for name in names)
    return SignedHeaders(text, names, frozenset(names), template, itemgetter(*names))


_remembered = functools.lru_cache(maxsize=512)(_signed_headers)


def date_mismatch(day: str, stamp: str) -> str:
    return f'Invalid credential date "{day}". This date is not the same as X-Amz-Date: "{stamp[:8]}".'
