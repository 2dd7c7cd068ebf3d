from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.request import Request, bucket_of, parse_query, percent_decode, split_path
from gateway.s3.errors import S3Error

DOMAINS = ("s3.example.com",)


async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}


def request(target=b"/", headers=(), domains=DOMAINS, **changes):
    path, _, query = target.partition(b"?")
    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": path,
        "query_string": query,
        "scheme": "http",
        "client": ("192.0.2.7", 40000),
        "headers": [(b"host", b"localhost:9000"), *headers] if b"host" not in dict(headers) else list(headers),
    }
    return Request.from_scope(scope | changes, receive, domains)


def on_host(host, target=b"/key", headers=()):
    return request(target, [(b"host", host), *headers])


@pytest.mark.parametrize(
    ("raw_path", "bucket", "key"),
    [
        (b"/", None, None),
        (b"", None, None),
        (b"/b", "b", None),
        (b"/b/", "b", None),
        (b"/b/k", "b", "k"),
        (b"/b//k", "b", "/k"),
        (b"/b//", "b", "/"),
        (b"/b/k/", "b", "k/"),
        (b"/b/a//c", "b", "a//c"),
        (b"/b/../c", "b", "../c"),
        (b"/b/./c", "b", "./c"),
        (b"/b/..", "b", ".."),
        (b"/b/a+c", "b", "a+c"),
        (b"/b/a%20c", "b", "a c"),
        (b"/b/a%2Fc", "b", "a/c"),
        (b"/b/%2F", "b", "/"),
        (b"/b/a%2fc", "b", "a/c"),
        (b"/b/a%252Fc", "b", "a%2Fc"),
        (b"/b/a%0Ac", "b", "a\nc"),
        (b"/b/%00", "b", "\0"),
        (b"/b/%F0%9F%A6%86", "b", "\U0001f986"),
        (b"/b/caf\xc3\xa9", "b", "caf\u00e9"),
        (b"/b/e%CC%81", "b", "e\u0301"),
        (b"/b%2Fk", "b/k", None),
    ],
)
def test_path_style(raw_path, bucket, key):
    found = request(raw_path)
    assert (found.bucket, found.key) == (bucket, key)
    assert found.raw_path == raw_path


@pytest.mark.parametrize(
    ("raw_path", "key"),
    [(b"/", None), (b"/k", "k"), (b"//k", "/k"), (b"/a/b/", "a/b/"), (b"/bucket/k", "bucket/k")],
)
def test_virtual_host_style(raw_path, key):
    found = on_host(b"bucket.s3.example.com", raw_path)
    assert (found.bucket, found.key) == ("bucket", key)


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("bucket.s3.example.com", "bucket"),
        ("bucket.s3.example.com:9000", "bucket"),
        ("Bucket.S3.Example.COM", "bucket"),
        ("bucket.s3.example.com.", "bucket"),
        ("with.dots.s3.example.com", "with.dots"),
        ("s3.example.com", None),
        ("s3.example.com:9000", None),
        ("evils3.example.com", None),
        ("localhost:9000", None),
        ("[::1]:9000", None),
        ("127.0.0.1", None),
        ("", None),
    ],
)
def test_bucket_of_a_host(host, bucket):
    assert bucket_of(host, DOMAINS) == bucket


def test_bucket_of_a_host_under_several_domains():
    domains = ("example.com", "s3.example.com:9000")
    assert bucket_of("bucket.s3.example.com", domains) == "bucket"
    assert bucket_of("s3.example.com", domains) is None
    assert bucket_of("bucket.example.com", domains) == "bucket"


@pytest.mark.parametrize("raw_path", [b"/b/%zz", b"/b/%", b"/b/%2", b"/b/%%41", b"/b/%FF", b"/b/\xff", b"/%C3/k"])
def test_path_that_is_no_text(raw_path):
    with pytest.raises(S3Error) as caught:
        request(raw_path)
    assert caught.value.code == "InvalidURI"


def test_key_where_a_bucket_should_be():
    with pytest.raises(S3Error) as caught:
        request(b"//k")
    assert caught.value.code == "InvalidBucketName"


@pytest.mark.parametrize("letter", ["a", "\u00e9"])
def test_keys_up_to_1024_bytes(letter):
    size = len(letter.encode())
    longest = letter * (1024 // size)
    assert request(b"/b/" + quote(longest).encode()).key == longest
    with pytest.raises(S3Error) as caught:
        request(b"/b/" + quote(longest + "a").encode())
    assert caught.value.code == "KeyTooLongError"
    assert caught.value.fields == {"Size": "1025", "MaxSizeAllowed": "1024"}


def test_a_request_that_cannot_be_parsed_has_ids_all_the_same():
    scope = {
        "method": "GET",
        "raw_path": b"/b/%zz",
        "query_string": b"",
        "scheme": "http",
        "client": None,
        "headers": [],
    }
    found = Request.identify(scope, receive)
    assert found.request_id
    assert (found.bucket, found.key, found.client_ip, found.host) == (None, None, "", "")
    with pytest.raises(S3Error):
        found.locate()


@pytest.mark.parametrize(
    ("raw", "query"),
    [
        (b"", {}),
        (b"acl", {"acl": ""}),
        (b"acl=", {"acl": ""}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1&a=2", {"a": "1"}),
        (b"a=&a=2", {"a": ""}),
        (b"a=b=c", {"a": "b=c"}),
        (b"&a=1&&=2&", {"a": "1"}),
        (b"prefix=a%2Fb+c%2B", {"prefix": "a/b c+"}),
        (b"pr%65fix=1", {"prefix": "1"}),
        (b"prefix=%F0%9F%A6%86", {"prefix": "\U0001f986"}),
        (b"prefix=caf\xc3\xa9", {"prefix": "caf\u00e9"}),
        (b"prefix=" + 200 * b"%2B+", {"prefix": 200 * "+ "}),
    ],
)
def test_query(raw, query):
    assert parse_query(raw) == query
    assert request(b"/b?" + raw).query == query


@pytest.mark.parametrize("raw", [b"a=%zz", b"a=%", b"%FF=1", b"a=\xff", b"a=1&b=" + 200 * b"a" + b"%"])
def test_query_that_is_no_text(raw):
    with pytest.raises(S3Error) as caught:
        parse_query(raw)
    assert caught.value.code == "InvalidURI"


def test_headers_are_joined_and_trimmed():
    headers = [(b"x-amz-meta-a", b"1  "), (b"range", b"bytes=0-1\t"), (b"x-amz-meta-a", b"caf\xc3\xa9")]
    found = request(b"/b/k", headers)
    assert found.headers["x-amz-meta-a"] == "1,caf\u00c3\u00a9"
    assert found.headers["range"] == "bytes=0-1"


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("aws-chunked", None),
        ("aws-chunked,gzip", "gzip"),
        ("gzip, aws-chunked", "gzip"),
        ("aws-chunked, aws-chunked", None),
        ("gzip, br, aws-chunked", "gzip,br"),
        ("gzip", "gzip"),
        ("x-aws-chunked", "x-aws-chunked"),
    ],
)
def test_aws_chunked_is_no_content_encoding(sent, seen):
    found = request(b"/b/k", [(b"content-encoding", sent.encode())])
    assert found.headers.get("content-encoding") == seen


@pytest.mark.parametrize(("sent", "length"), [(b"0", 0), (b"12", 12), (b"-1", None), (b"x", None), (b"9" * 5000, None)])
def test_content_length(sent, length):
    assert request(b"/b/k", [(b"content-length", sent)]).content_length == length


def test_no_content_length():
    assert request(b"/b/k").content_length is None


def test_the_rest():
    found = request(b"/b/k?a", scheme="https", method="PUT")
    assert (found.method, found.scheme, found.client_ip, found.host) == ("PUT", "https", "192.0.2.7", "localhost:9000")
    assert found.receive is receive
    assert found.body is None
    assert re.fullmatch("[0-9A-F]{16}", found.request_id)
    assert re.fullmatch("[A-Za-z0-9+/]{76}", found.host_id)
    assert request().request_id != request().request_id


def test_forwarded_host_names_the_bucket_where_host_cannot():
    forwarded = [(b"x-forwarded-host", b"bucket.s3.example.com")]
    assert on_host(b"10.0.0.1", headers=forwarded).bucket == "bucket"
    assert on_host(b"other.s3.example.com", headers=forwarded).bucket == "other"


def test_other_hosts_name_the_same_bucket():
    headers = [(b"x-forwarded-host", b"s3.example.com"), (b"x-forwarded-port", b"8443")]
    assert on_host(b"inner", headers=headers).other_hosts() == ["inner", "s3.example.com", "s3.example.com:8443"]
    assert on_host(b"bucket.s3.example.com", headers=headers).other_hosts() == ["bucket.s3.example.com"]


@given(st.binary(max_size=60))
def test_any_bytes_are_a_path_or_an_s3_error(raw):
    try:
        split_path(b"/" + raw, None)
        parse_query(raw)
    except S3Error as error:
        assert error.code in ("InvalidURI", "InvalidBucketName")


@given(st.text(max_size=60))
def test_what_was_quoted_is_read_back(text):
    text = text.encode("utf-8", "ignore").decode()
    assert percent_decode(quote(text).encode()).decode() == text
    assert split_path(b"/b/" + quote(text).encode(), None) == ("b", text or None)
