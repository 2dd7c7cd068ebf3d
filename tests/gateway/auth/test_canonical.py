"""https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#canonical-request"""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.canonical import canonical_path, canonical_query, canonical_request
from gateway.auth.claim import parse_signed_headers


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        (b"", "/"),
        (b"/", "/"),
        (b"/b/k-._~", "/b/k-._~"),
        (b"/b//a/../c/", "/b//a/../c/"),
        (b"/b/test$file.text", "/b/test%24file.text"),
        (b"/b/test%24file.text", "/b/test%24file.text"),
        (b"/b/%7e%41", "/b/~A"),
        (b"/b/a+c", "/b/a%2Bc"),
        (b"/b/a%2bc", "/b/a%2Bc"),
        (b"/b/a%2Fc", "/b/a/c"),
        (b"/b/%25", "/b/%25"),
        (b"/b/caf\xc3\xa9%0A", "/b/caf%C3%A9%0A"),
    ],
)
def test_path(raw, canonical):
    assert canonical_path(raw) == canonical


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        (b"", ""),
        (b"acl", "acl="),
        (b"acl=", "acl="),
        (b"prefix=J&max-keys=2", "max-keys=2&prefix=J"),
        (b"b=2&b=1&a=0", "a=0&b=1&b=2"),
        (b"a-b=1&a=2", "a=2&a-b=1"),
        (b"a=1&A=2&_=3", "A=2&_=3&a=1"),
        (b"&&a=1&", "a=1"),
        (b"prefix=a/b", "prefix=a%2Fb"),
        (b"prefix=a%2fb", "prefix=a%2Fb"),
        (b"prefix=%7E", "prefix=~"),
        (b"prefix=a+b", "prefix=a%20b"),
        (b"prefix=a%20b%2B", "prefix=a%20b%2B"),
        (b"a=b=c", "a=b%3Dc"),
        (b"a=\xc3\xa9", "a=%C3%A9"),
        (b"X-Amz-Signature=abc&a=1", "a=1"),
        (b"%58-Amz-Signature=abc&a=1", "a=1"),
        (b"b=" + 200 * b"+" + b"&a=" + 200 * b"~", f"a={200 * '~'}&b={200 * '%20'}"),
    ],
)
def test_query(raw, canonical):
    assert canonical_query(raw, without="X-Amz-Signature") == canonical


@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)), max_size=5))
def test_query_is_sorted_by_what_is_encoded(pairs):
    encoded = [tuple(quote(part.encode("utf-8", "ignore"), safe="-._~") for part in pair) for pair in pairs]
    encoded = [pair for pair in encoded if pair[0]]
    raw = "&".join("=".join(pair) for pair in encoded)
    assert canonical_query(raw.encode()) == "&".join("=".join(pair) for pair in sorted(encoded))


def test_whole(s3):
    headers = {
        "host": "h:9000",
        "content-encoding": "gzip, aws-chunked",
        "x-amz-meta-a": " two  blanks\tand a tab ",
        "x-amz-meta-b": "",
    }
    request = s3.make("PUT", "/b/k?x=1", headers)
    signed = parse_signed_headers("content-encoding;host;x-amz-absent;x-amz-meta-a;x-amz-meta-b")
    assert canonical_request(request, "other", signed, "x=1", "UNSIGNED-PAYLOAD") == (
        "PUT\n/b/k\nx=1\n"
        "content-encoding:gzip, aws-chunked\nhost:other\nx-amz-absent:\n"
        "x-amz-meta-a:two blanks and a tab\nx-amz-meta-b:\n\n"
        "content-encoding;host;x-amz-absent;x-amz-meta-a;x-amz-meta-b\nUNSIGNED-PAYLOAD"
    )
