"""The example user of AWS's documentation, and requests signed by botocore for it."""

from __future__ import annotations

import calendar
import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from catalog.records import User
from gateway.auth import Identity, authenticate
from gateway.request import Request
from gateway.s3.errors import S3Error

KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "us-east-1"
EXAMPLE_TIME = float(calendar.timegm((2013, 5, 24, 0, 0, 0)))


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def _make(method: str, target: str, headers: dict[str, str], domains: tuple[str, ...] = ()) -> Request:
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "scheme": "http",
        "client": ("192.0.2.1", 50000),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    return Request.from_scope(scope, _no_body, domains)


def _check(request: Request, now: float, region: str = REGION) -> Identity:
    users = {KEY: User("id", "example", KEY, SECRET)}
    return authenticate(request, users.get, region, now)


def _refusal(request: Request, now: float, region: str = REGION) -> S3Error:
    with pytest.raises(S3Error) as caught:
        _check(request, now, region)
    return caught.value


def _sign(
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    *,
    key: str = KEY,
    secret: str = SECRET,
    region: str = REGION,
    service: str = "s3",
    token: str | None = None,
    expires: int | None = None,
    drop: tuple[str, ...] = (),
    add: dict[str, str] | None = None,
    domains: tuple[str, ...] = (),
) -> Request:
    """As botocore signs it: in the query if `expires`; then headers are dropped and added behind its back."""
    credentials = Credentials(key, secret, token)
    sent = AWSRequest(method, url, headers=headers or {}, data=body)
    if expires is None:
        S3SigV4Auth(credentials, service, region).add_auth(sent)
    else:
        S3SigV4QueryAuth(credentials, service, region, expires).add_auth(sent)
    prepared = sent.prepare()
    split = urlsplit(prepared.url)
    fields = {"host": split.netloc}
    for name, value in prepared.headers.items():
        fields[name.lower()] = value.decode("latin-1") if isinstance(value, bytes) else value
    fields = {name: value for name, value in fields.items() if name not in drop} | (add or {})
    target = split.path + (f"?{split.query}" if split.query else "")
    return _make(method, target, fields, domains)


@pytest.fixture(scope="session")
def s3() -> SimpleNamespace:
    return SimpleNamespace(
        make=_make,
        sign=_sign,
        check=_check,
        refusal=_refusal,
        key=KEY,
        secret=SECRET,
        region=REGION,
        example_time=EXAMPLE_TIME,
    )


@pytest.fixture
def now() -> float:
    return time.time()
