from __future__ import annotations

import pytest

from gateway.access_logs.recorder import signed_by, size_said, without_secrets
from gateway.s3.rendered import Rendered
from tests.gateway.conftest import request

NAME = "x-amz-server-side-encryption-customer-key"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("list-type=2&prefix=a%20b&x", "list-type=2&prefix=a%20b&x"),
        (f"a=1&{NAME}=c2VjcmV0&{NAME}-md5=abc", f"a=1&{NAME}=-&{NAME}-md5=abc"),
        ("X-Amz-Server-Side-Encryption-Customer-%4bey=s&b", "X-Amz-Server-Side-Encryption-Customer-%4bey=-&b"),
        (f"prefix={NAME}", f"prefix={NAME}"),
    ],
)
def test_a_query_without_its_secrets(query: str, expected: str) -> None:
    assert without_secrets(query) == expected


@pytest.mark.parametrize(
    ("status", "head", "expected"),
    [
        (200, b"etag: x\r\ncontent-length: 5\r\n", 5),
        (206, b"content-length: 2\r\ncontent-range: bytes 0-1/700\r\n", 700),
        (206, b"content-length: 2\r\n", None),
        (200, b"etag: x\r\n", None),
    ],
)
def test_the_size_that_an_answer_says(status: int, head: bytes, expected: int | None) -> None:
    assert size_said(Rendered(status, head, b"")) == expected


@pytest.mark.parametrize(
    ("header", "query", "expected"),
    [
        ("AWS4-HMAC-SHA256 Credential=x", {}, ("SigV4", "AuthHeader")),
        ("AWS x:y", {}, ("SigV2", "AuthHeader")),
        (None, {"X-Amz-Signature": "x"}, ("SigV4", "QueryString")),
        (None, {"Signature": "x"}, ("SigV2", "QueryString")),
        (None, {}, ("", "")),
    ],
)
def test_how_it_was_signed(header: str | None, query: dict[str, str], expected: tuple[str, str]) -> None:
    asked = request()
    asked.headers |= {} if header is None else {"authorization": header}
    asked.query |= query
    assert signed_by(asked) == expected
