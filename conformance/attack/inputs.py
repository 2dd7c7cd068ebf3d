"""What an attacker sends, by kind: strategies that begin at what is right and spoil it."""

from __future__ import annotations

import ssl
from contextlib import suppress
from urllib.parse import quote

from hypothesis import strategies as st

from conformance.raw import Raw, Request

BUCKET, KEY = "attacked", "key"
RULED = "attacked-ruled"  # with ACLs, Object Lock, and whatever rules are put

NASTY = [
    "",
    " ",
    "\0",
    "%00",
    "%",
    "%zz",
    "..",
    "../../etc/passwd",
    "/",
    "//",
    "\r\n",
    "\t",
    "a" * 5000,
    "-1",
    "0",
    "1e9",
    "NaN",
    "9" * 18,
    "9" * 400,
    "²",
    "١",
    "\u202e",
    "\ud7ff",
    "\uffff",
    "😀",
    "ü",
    "'",
    '"',
    "<x>",
    "&amp;",
    "{}",
    "$(id)",
    "%s%n",
    "null",
    "*",
    "AAAA",
    "====",
    "2020-01-01T00:00:00Z",
    "-0",
    "+1",
    "0x10",
    " 1",
    "1 ",
    "1,2",
    "None",
]
TEXT = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=40), st.lists(st.sampled_from(NASTY), max_size=3).map("".join)
)
LINE = TEXT.map(lambda text: "".join(text.split("\r"))).map(lambda text: "".join(text.split("\n")))

METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PRI", "get", "G\0T"]
TARGETS = [
    "/",
    f"/{BUCKET}",
    f"/{BUCKET}/",
    f"/{BUCKET}/{KEY}",
    "*",
    "http://x/y",
    "x:1",
    "//",
    "/%",
    "/?%",
    "/\xff",
    "?",
]
VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/9.9", "HTTP/1.1 ", "http/1.1", ""]
HEADERS = [
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Upgrade",
    "Expect",
    "Range",
    "Trailer",
    "TE",
    "X-Forwarded-Host",
    "Authorization",
    "x-amz-date",
    "x-amz-content-sha256",
    "Content-Encoding",
    "",
    "a b",
    "\0",
]
VALUES = [
    "chunked",
    "gzip, chunked",
    "chunked, chunked",
    "100-continue",
    "upgrade",
    "h2c",
    "close",
    "keep-alive",
    "5",
    "0",
    "-5",
    "5, 5",
    "+5",
    "0x5",
    "18446744073709551616",
    "bytes=0-",
    "aws-chunked",
    "localhost:1",
]

QUERIES = [
    "max-keys",
    "continuation-token",
    "start-after",
    "marker",
    "prefix",
    "delimiter",
    "encoding-type",
    "list-type",
    "fetch-owner",
    "version-id-marker",
    "key-marker",
    "upload-id-marker",
    "max-uploads",
    "max-parts",
    "max-buckets",
    "part-number-marker",
    "partNumber",
    "uploadId",
    "versionId",
    "versions",
    "uploads",
    "tagging",
    "location",
    "versioning",
    "attributes",
    "delete",
    "acl",
    "policy",
    "x-id",
    "response-content-type",
    "response-expires",
    "response-content-disposition",
    "bucket-region",
    "x-amz-copy-source",
    "X-Amz-Expires",
    "Signature",
    "torrent",
]
ASKED = [
    "Range",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "If-Range",
    "Content-MD5",
    "x-amz-copy-source",
    "x-amz-copy-source-range",
    "x-amz-copy-source-if-match",
    "x-amz-metadata-directive",
    "x-amz-tagging-directive",
    "x-amz-tagging",
    "x-amz-meta-a",
    "x-amz-checksum-crc32",
    "x-amz-checksum-algorithm",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-checksum-mode",
    "x-amz-object-attributes",
    "x-amz-max-parts",
    "x-amz-part-number-marker",
    "x-amz-expected-bucket-owner",
    "x-amz-storage-class",
    "x-amz-acl",
    "x-amz-mp-object-size",
    "x-amz-checksum-type",
    "x-amz-website-redirect-location",
    "Content-Type",
    "Content-Encoding",
    "Cache-Control",
    "Expires",
    "x-amz-trailer",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
    "x-amz-write-offset-bytes",
    *(f"x-amz-object-lock-{name}" for name in ("mode", "retain-until-date", "legal-hold")),
    "x-amz-bypass-governance-retention",
    "x-amz-grant-read",
    "x-amz-grant-full-control",
    "x-amz-server-side-encryption",
    *(f"x-amz-server-side-encryption-customer-{name}" for name in ("algorithm", "key", "key-MD5")),
]
RANGES = [
    "bytes=0-",
    "bytes=-1",
    "bytes=5-2",
    "bytes=0-0,2-3",
    "bytes=-",
    "bytes=" + "9" * 30 + "-",
    "chars=1-2",
    "bytes=0-" + "9" * 50,
]


@st.composite
def spoiled(draw: st.DrawFn, text: str) -> str:
    """With pieces cut out, doubled, exchanged or put in, at a few places."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        piece = draw(st.one_of(TEXT, st.just(""), st.just(text[start:end] * 2), st.just(text[start:end].swapcase())))
        text = text[:start] + piece + text[end:]
    return text


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A request as it is on the line, signed by nobody."""
    target = draw(st.one_of(st.sampled_from(TARGETS), LINE))
    head = [f"{draw(st.sampled_from(METHODS))} {target} {draw(st.sampled_from(VERSIONS))}"]
    for name, value in draw(
        st.lists(st.tuples(st.sampled_from(HEADERS), st.one_of(st.sampled_from(VALUES), LINE)), max_size=5)
    ):
        head.append(f"{name}: {value}")
    end = draw(
        st.sampled_from(
            ["\r\n\r\n", "\n\n", "\r\n", "", "\r\n\r\n0\r\nX: y\r\n\r\n", "\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n"]
        )
    )
    whole = draw(st.sampled_from(["\r\n", "\n"])).join(head) + end
    return draw(st.one_of(st.just(whole), spoiled(whole))).encode("utf-8", "surrogatepass")


_CLIENT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@st.composite
def hellos(draw: st.DrawFn) -> bytes:
    """The beginning of a TLS handshake, spoiled."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        _CLIENT.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    hello = bytearray(outgoing.read())
    for _ in range(draw(st.integers(0, 8))):
        hello[draw(st.integers(0, len(hello) - 1))] = draw(st.integers(0, 255))
    return bytes(hello[: draw(st.integers(0, len(hello)))]) + draw(st.binary(max_size=600))


@st.composite
def headers_signed(draw: st.DrawFn, raw: Raw) -> Request:
    """A signature in the Authorization header that somebody has been at."""
    request = raw.prepare(draw(st.sampled_from(["GET", "PUT"])), f"/{BUCKET}/{KEY}", body=b"")
    for name in draw(
        st.lists(st.sampled_from(["Authorization", "x-amz-date", "x-amz-content-sha256", "Host"]), min_size=1)
    ):
        request.headers[name] = on_line(draw(spoiled(request.headers[name])))
    return request


@st.composite
def queries_signed(draw: st.DrawFn, raw: Raw) -> Request:
    """A presigned URL that somebody has been at."""
    request = raw.presign("GET", f"/{BUCKET}/{KEY}")
    path, _, query = request.target.partition("?")
    pairs = draw(st.permutations(query.split("&")))
    at = draw(st.integers(0, len(pairs) - 1))
    name, _, value = pairs[at].partition("=")
    pairs[at] = f"{name}={quote(draw(st.one_of(TEXT, spoiled(value))).encode('utf-8', 'replace'))}"
    extra = draw(
        st.lists(st.sampled_from([*pairs, "Signature=a", "AWSAccessKeyId=a", "Expires=9", "a%", "%FF=%FF", "=", "&&"]))
    )
    request.target = f"{path}?{'&'.join([*pairs, *extra])}"
    return request


@st.composite
def chunks(draw: st.DrawFn, raw: Raw) -> Request:
    """A body in aws-chunked framing that somebody has been at; as long as its Content-Length says."""
    data = [b"a" * 9000, b"b" * 10]
    trailers = draw(st.sampled_from([None, {"x-amz-checksum-crc32": "AAAAAA=="}]))
    signed = draw(st.booleans()) or trailers is None
    request = raw.chunked(f"/{BUCKET}/{KEY}", data, trailers, signed=signed)
    frames = draw(spoiled(request.body.decode("latin-1"))).encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        frames = draw(
            st.sampled_from(
                [b"0\r\n", b"FFFFFFFFFFFFFFFF\r\n", b"-1\r\n", b"1;" + b"x" * 70_000, b"\r\n" * 9000, b"0x1\r\na"]
            )
        )
    request.body, request.headers["Content-Length"] = frames, str(len(frames))
    return request


@st.composite
def calls(draw: st.DrawFn, raw: Raw) -> Request:
    """Parameters, ranges, conditions, tokens and names, signed rightly: what only those with a key can send."""
    method = draw(st.sampled_from(METHODS[:6]))
    path = draw(
        st.sampled_from(
            ["/", f"/{BUCKET}", f"/{BUCKET}/{KEY}", f"/{BUCKET}/", "/.", "/..", "/a", "/-/health/ready", "/-/sql"]
        )
    )
    if draw(st.booleans()):
        path = f"/{BUCKET}/" + draw(TEXT).encode("utf-8", "replace").decode()
    value = TEXT.map(lambda text: text.encode("utf-8", "replace").decode())
    query = draw(st.dictionaries(st.sampled_from(QUERIES), value, max_size=4))
    header = st.one_of(st.sampled_from(RANGES), value).map(on_line)
    headers = draw(st.dictionaries(st.sampled_from(ASKED), header, max_size=3))
    if "x-amz-copy-source" in headers and draw(st.booleans()):
        headers["x-amz-copy-source"] = (
            f"/{BUCKET}/{KEY}?versionId={quote(headers['x-amz-copy-source'].encode('latin-1'))}"
        )
    return raw.prepare(method, path, query, headers, draw(st.sampled_from([b"", b"", b"body"])))


def on_line(text: str) -> str:
    """As a header can have it, a character for each byte of UTF-8."""
    for end in "\r\n\0":
        text = text.replace(end, "")
    return text.encode("utf-8", "replace").decode("latin-1").strip()
