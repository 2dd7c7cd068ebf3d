from __future__ import annotations

import datetime
import hashlib

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.sign import EMPTY, UNSIGNED_TRAILER, Signer

NOW = 1_750_000_000.0
HOST = "127.0.0.1:9000"


def signed_by_botocore(method: str, url: str, payload: str, headers: dict[str, str]) -> tuple[str, float]:
    """The Authorization header, and the time it is for."""
    request = AWSRequest(method=method, url=url, headers={**headers, "X-Amz-Content-SHA256": payload})
    auth = S3SigV4Auth(Credentials("AKID", "SECRET"), "s3", "eu-central-1")
    auth.payload = lambda request: payload  # the digest is given, as it is in the signer
    auth.add_auth(request)
    moment = datetime.datetime.strptime(request.headers["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    return str(request.headers["Authorization"]), moment.timestamp()


@pytest.mark.parametrize(
    ("method", "path", "query", "payload", "headers"),
    [
        ("GET", "/bucket/key", None, EMPTY, {}),
        ("HEAD", "/bucket/tree/000012/07", None, EMPTY, {}),
        ("DELETE", "/bucket/a b/ü+%2F&=~", None, EMPTY, {}),
        (
            "GET",
            "/bucket",
            {"list-type": "2", "prefix": "a b/", "delimiter": "/", "start-after": "ü"},
            EMPTY,
            {},
        ),
        ("PUT", "/bucket/key", None, hashlib.sha256(b"body").hexdigest(), {}),
        ("PUT", "/bucket/key", None, UNSIGNED_TRAILER, {"x-amz-trailer": "x-amz-checksum-crc32"}),
    ],
)
def test_signs_as_botocore_does(
    method: str, path: str, query: dict[str, str] | None, payload: str, headers: dict[str, str]
) -> None:
    signer = Signer("AKID", "SECRET", HOST, "eu-central-1")
    target = signer.head(method, path, query).split(b" ")[1].decode()
    wanted, now = signed_by_botocore(method, f"http://{HOST}{target}", payload, headers)
    head = signer.head(method, path, query, payload, headers=headers, now=now).decode()
    assert f"\r\nauthorization: {wanted}\r\n" in head


def test_expect_is_sent_and_not_signed() -> None:
    head = Signer("AKID", "SECRET", HOST).head("PUT", "/b/k", length=4, headers={"expect": "100-continue"})
    assert b"\r\nexpect: 100-continue\r\n" in head
    assert b"SignedHeaders=host;x-amz-content-sha256;x-amz-date," in head
    assert b"\r\ncontent-length: 4\r\n" in head
    assert head.endswith(b"\r\n\r\n")


def test_a_new_day_has_a_new_key() -> None:
    signer = Signer("AKID", "SECRET", HOST)
    first = signer.head("GET", "/b/k", now=NOW)
    assert signer.head("GET", "/b/k", now=NOW + 86400) != first
    assert signer.head("GET", "/b/k", now=NOW) == first
