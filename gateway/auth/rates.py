"""How many requests a second an access key may send: beyond that each is answered 503 SlowDown.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.auth import Identity, authenticate
from gateway.auth.proof import FindUser
from gateway.request import Request
from gateway.s3.errors import S3Error

Authenticate = Callable[[Request, FindUser, str, float], Identity]

PERIOD = 1.0  # seconds whose requests may come all at once
_ROUNDING = 1e-6  # seconds


def authenticating(most: int) -> Authenticate:
    """`authenticate`, by which one key may prove so many requests a second; 0 is any number."""
    if not most:
        return authenticate
    rates = Rates(most)

    def authenticate_within_rate(request: Request, find_user: FindUser, region: str, now: float) -> Identity:
        identity = authenticate(request, find_user, region, now)
        if identity.user is not None:  # who is refused anyway takes nothing from anybody
            rates.take(identity.access_key, time.monotonic())
        return identity

    return authenticate_within_rate


class Rates:
    """By key, when the next request is due if they come evenly: it may come as much earlier as a period is long."""

    def __init__(self, most: int) -> None:
        self._between = PERIOD / most
        self._due: dict[str, float] = {}

    def take(self, access_key: str, now: float) -> None:
        """`now` is in seconds of a clock that nobody sets. Raises SlowDown."""
        due = max(self._due.get(access_key, now), now) + self._between
        if due > now + PERIOD + _ROUNDING:
            raise S3Error("SlowDown")
        self._due[access_key] = due
