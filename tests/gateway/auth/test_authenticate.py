"""Against botocore's own signers, for whatever a client may send."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import request
from gateway.auth import claim, dates, header, proof
from gateway.s3.errors import S3Error

KEYS = [
    "plain",
    "a/b/c",
    "/leading",
    "trailing/",
    "a//b",
    "a/../b",
    "./a",
    "a b",
    "a+b",
    "a%2Fb",
    "100%",
    "new\nline",
    "tab\t",
    "~-._!$&'()*,;=:@",
    'quote"<>\\^`{|}',
    "emoji \U0001f986",
    "e\u0301\u00e9",
    "?query#fragment",
]


@pytest.mark.parametrize("expires", [None, 60])
@pytest.mark.parametrize("key", KEYS)
def test_any_key(s3, now, key, expires):
    request = s3.sign("GET", "http://localhost:9000/bucket/" + quote(key, safe="/~"), expires=expires)
    assert s3.check(request, now).user is not None
    assert request.key == key


@given(key=st.text(min_size=1, max_size=100), value=st.text(max_size=50), name=st.text(min_size=1, max_size=20))
def test_any_text_in_path_and_query(s3, key, value, name):
    key = key.encode("utf-8", "ignore").decode() or "k"
    url = f"http://localhost/bucket/{quote(key, safe='/~')}"
    query = f"?n{_quote(name)}={_quote(value)}&list-type=2&n{_quote(name)}=0"
    assert s3.check(s3.sign("GET", url + query), time.time()).user is not None


def _quote(text):
    return quote(text.encode("utf-8", "ignore") or b"x", safe="-._~")


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "  leading",
        "trailing  ",
        "two  blanks",
        "a: b",
        '"quoted  blanks"',
        "tab\tinside",
        "\u00e9",
        "\u00e0 \u00c5",
    ],
)
def test_header_values(s3, now, value):
    """The last one has in UTF-8 the bytes 0xA0 and 0x85, blanks to str.split() when read as Latin-1."""
    request = s3.sign("PUT", "http://localhost/b/k", {"x-amz-meta-value": value})
    assert s3.check(request, now).user is not None


def test_content_encoding_is_signed_as_sent(s3, now):
    request = s3.sign("PUT", "http://localhost/b/k", {"content-encoding": "aws-chunked,gzip"})
    assert s3.check(request, now).user is not None
    assert request.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("query", ["acl", "acl=", "versions&prefix=a%2Fb&prefix=", "a=b%3Dc&a-b=1&a=1"])
def test_queries(s3, now, query):
    assert s3.check(s3.sign("GET", f"http://localhost/b?{query}"), now).user is not None


def test_virtual_host_style(s3, now):
    request = s3.sign("GET", "http://bucket.s3.example.com:9000/k", domains=("s3.example.com",))
    assert s3.check(request, now).user is not None
    assert (request.bucket, request.key) == ("bucket", "k")


def test_nobody(s3, now):
    for headers in ({}, {"authorization": ""}):
        identity = s3.check(s3.make("GET", "/b/k?list-type=2", {"host": "h"} | headers), now)
        assert identity == (None, "", (None, False, False, None))


def test_body_hash_is_checked_where_there_is_no_body(s3, now):
    wrong = "0" * 64
    request = s3.make("GET", "/b/k", {"host": "h", "x-amz-content-sha256": wrong})
    error = s3.refusal(request, now)
    assert error.code == "XAmzContentSHA256Mismatch"
    assert error.fields == {
        "ClientComputedContentSHA256": wrong,
        "S3ComputedContentSHA256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCOPES = st.sampled_from(["20130524/us-east-1/s3/aws4_request", "20130524/us-east-1/s3/", "a/b/c/d/e", ""])
DATES = st.one_of(TEXT, st.sampled_from(["20130524T000000Z", "Fri, 24 May 2013 00:00:00 GMT"]))
HASHES = st.one_of(TEXT, st.sampled_from(["UNSIGNED-PAYLOAD", "0" * 64, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"]))


@given(data=st.data())
def test_garbage_gives_s3_errors_only(s3, data):
    """Latin-1 in headers, any text in the query; never another exception, never a user."""
    draw = data.draw
    key = draw(st.sampled_from([s3.key, "AKIANOBODY", "\u00e9", ""]))
    credential = f"{key}/{draw(SCOPES)}"
    signed = draw(st.one_of(TEXT, st.just("host"), st.just("host;x-amz-content-sha256;x-amz-date")))
    headers = {"host": "h"}
    query = ""
    if draw(st.booleans()):
        text = f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={signed},Signature={draw(TEXT)}"
        headers["authorization"] = draw(st.one_of(TEXT, st.just(text), st.just(text[:60])))
        headers["x-amz-date"] = draw(DATES)
        headers["x-amz-content-sha256"] = draw(HASHES)
    else:
        parameters = {
            "X-Amz-Algorithm": draw(st.one_of(TEXT, st.just("AWS4-HMAC-SHA256"))),
            "X-Amz-Credential": credential,
            "X-Amz-Date": draw(DATES),
            "X-Amz-Expires": draw(st.one_of(TEXT, st.integers().map(str))),
            "X-Amz-SignedHeaders": signed,
            "X-Amz-Signature": draw(TEXT),
            "X-Amz-Content-Sha256": draw(HASHES),
        }
        less = draw(st.sets(st.sampled_from(sorted(parameters))))
        query = "?" + "&".join(f"{name}={_quote(parameters[name])}" for name in parameters if name not in less)
    try:
        identity = s3.check(s3.make("GET", f"/b/k{query}", headers), s3.example_time)
    except S3Error as error:
        assert error.code != "InternalError"
    else:
        assert identity.user is None


def long_request(s3, place, filling):
    headers = {"host": "host", "x-amz-date": "20130524T000000Z"}
    credential, signed, long = f"{s3.key}/20130524/us-east-1/s3/aws4_request", "host;x-amz-date", filling * 20_000
    match place:
        case "signed headers":
            signed = f"host;x-amz-date;{long}"
        case "credential":
            credential = long + credential
        case "headers":
            headers |= {f"x-{filling}-{number}": "" for number in range(10_000)}
        case "host" | "x-amz-date":
            headers[place] = long
        case "date":
            return s3.make("GET", "/-/sql", {"date": long, "authorization": f"AWS {s3.key}:0"})
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={signed},Signature=0"
    return s3.make("GET", "/-/sql", headers, ("s3.example",))


@pytest.mark.parametrize("place", ["date", "x-amz-date", "signed headers", "credential", "host", "headers"])
def test_long_texts_that_anybody_can_send_are_not_remembered(s3, place):
    """How many are remembered is bounded: each must be short."""
    s3.refusal(long_request(s3, place, "a;"), s3.example_time)
    before = remembered()
    s3.refusal(long_request(s3, place, "b;"), s3.example_time)
    assert remembered() == before


def remembered():
    kept = (dates._stamp, dates._date, claim._remembered, proof._remembered, header._parse_head, request._bucket_of)
    return [each.cache_info().currsize for each in kept]
