"""One HTTP request as S3 sees it: which bucket, which key, which parameters, still unauthenticated."""

from __future__ import annotations

import base64
import functools
import os
import random
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from gateway.s3.errors import S3Error

if TYPE_CHECKING:
    from gateway.body import Body
    from gateway.form import File, Form

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAX_KEY_BYTES = 1024
MAX_HOST = 512  # characters; names in the DNS have 253 at most
MOST_REMEMBERED = 128  # bytes of a query's parameter; longer ones are decoded anew each time

# Of an ASGI scope: the headers by lower-case name, decoded, blanks around them gone, equal names joined by commas.
HEADERS = "ducket.headers"
# Among an ASGI scope's extensions, where the connection has TLS: its version and its cipher.
TLS = "ducket.tls"

# Headers that bear a checksum, whether before the body or behind it.
CHECKSUM_HEADERS = frozenset(
    f"x-amz-checksum-{algorithm}"
    for algorithm in (
        *("crc32", "crc32c", "crc64nvme", "sha1", "sha256"),
        *("sha512", "md5", "xxhash64", "xxhash3", "xxhash128"),
    )
)

_HEX = "0123456789ABCDEFabcdef"
_ESCAPED = {(high + low).encode(): bytes.fromhex(high + low) for high in _HEX for low in _HEX}

_PERCENT = ord("%")  # a number is looked for at a sixth of what it costs to look for bytes
_HOST_ID = base64.b64encode(os.urandom(57)).decode()


class Request:
    """`raw_path` and `raw_query` are as sent; everything else is decoded. `body` and `form` are set once opened.

    `charged`: at AWS's the caller would pay for it, and said so.
    """

    __slots__ = (
        "_domains",
        "body",
        "bucket",
        "charged",
        "client_ip",
        "content_length",
        "form",
        "headers",
        "host",
        "host_id",
        "key",
        "method",
        "query",
        "raw_path",
        "raw_query",
        "receive",
        "request_id",
        "scheme",
        "sent_content_encoding",
    )

    method: str
    raw_path: bytes
    raw_query: bytes
    bucket: str | None
    key: str | None
    query: dict[str, str]
    headers: dict[str, str]
    host: str
    scheme: str
    client_ip: str
    content_length: int | None
    request_id: str
    host_id: str
    receive: Receive
    body: Body | File | None
    form: Form | None
    sent_content_encoding: str | None
    charged: bool
    _domains: tuple[str, ...]

    @classmethod
    def from_scope(cls, scope: Scope, receive: Receive, domains: tuple[str, ...] = ()) -> Request:
        request = cls.identify(scope, receive, domains)
        request.locate()
        return request

    def locate(self) -> None:
        """Parses path and query. Raises InvalidURI, InvalidBucketName or KeyTooLongError."""
        if self.raw_query:
            self.query = parse_query(self.raw_query)
        self.bucket, self.key = split_path(self.raw_path, self.host_bucket)

    @classmethod
    def identify(cls, scope: Scope, receive: Receive, domains: tuple[str, ...] = ()) -> Request:
        """All but path and query: cannot fail, so that what is wrong in those is answered with its ids."""
        request = cls()
        request.method = scope["method"]
        request.raw_path = scope["raw_path"]
        request.raw_query = scope["query_string"]
        request.bucket = request.key = request.body = request.form = None
        request.query = {}
        request.scheme = scope["scheme"]
        client = scope.get("client")
        request.client_ip = client[0] if client else ""
        request.receive = receive
        request.request_id = random.getrandbits(64).to_bytes(8, "big").hex().upper()
        request.host_id = _HOST_ID
        request.headers = headers = scope.get(HEADERS) or _join_headers(scope["headers"])
        length = headers.get("content-length")
        request.content_length = int(length) if length is not None and is_number(length) else None
        request.sent_content_encoding = None
        request.charged = False
        if "aws-chunked" in headers.get("content-encoding", ""):
            request.sent_content_encoding = headers["content-encoding"]
            _strip_aws_chunked(headers)
        request._domains = domains
        request.host = headers.get("host", "")
        if domains and "x-forwarded-host" in headers:
            request.host = _public_host(request.host, headers, domains)
        return request

    @property
    def host_bucket(self) -> str | None:
        """The bucket, if it is the host that names it and not the path."""
        return bucket_of(self.host, self._domains) if self._domains else None

    def other_hosts(self) -> list[str]:
        """What a proxy may have made of the Host the client signed; only those that name the same bucket."""
        forwarded = _forwarded_host(self.headers)
        port = self.headers.get("x-forwarded-port", "").strip()
        hosts = [self.headers.get("host", ""), forwarded]
        if forwarded and port:
            hosts.append(f"{forwarded}:{port}")
        return [host for host in hosts if host and bucket_of(host, self._domains) == self.host_bucket]


def parse_query(raw: bytes) -> dict[str, str]:
    """The first of several equal names wins, as in S3; a name without `=` has the value ""."""
    query: dict[str, str] = {}
    if raw:
        for pair in raw.split(b"&"):
            name, value = _remembered(pair) if len(pair) <= MOST_REMEMBERED else _parameter(pair)
            if name and name not in query:
                query[name] = value
    return query


def _parameter(pair: bytes) -> tuple[str, str]:
    name, _, value = _text(pair).replace("+", " ").partition("=")
    return _unescape(name.encode()) if "%" in name else name, _unescape(value.encode()) if "%" in value else value


# Of the parameters of a listing all but the prefix repeat all day long.
_remembered = functools.lru_cache(maxsize=1024)(_parameter)


def split_path(raw_path: bytes, host_bucket: str | None) -> tuple[str | None, str | None]:
    """Slashes part bucket and key before decoding, so a key may hold any byte; an empty key is no key."""
    raw_key = raw_path[1:]
    bucket = host_bucket
    if host_bucket is None:
        raw_bucket, _, raw_key = raw_key.partition(b"/")
        bucket = _unescape(raw_bucket) or None
        if bucket is None and raw_key:
            raise S3Error("InvalidBucketName", fields={"BucketName": ""})
    if not raw_key:
        return bucket, None
    key = _unescape(raw_key)
    if len(raw_key) > MAX_KEY_BYTES:
        check_length(key)
    return bucket, key


def check_length(key: str) -> None:
    """Raises KeyTooLongError."""
    if (size := len(key.encode())) > MAX_KEY_BYTES:
        raise S3Error("KeyTooLongError", fields={"Size": str(size), "MaxSizeAllowed": str(MAX_KEY_BYTES)})


def percent_decode(raw: bytes) -> bytes:
    """Each `%` must start an escape: unlike urllib, which lets a lone one pass."""
    first, *escapes = raw.split(b"%")
    try:
        return first + b"".join([_ESCAPED[escape[:2]] + escape[2:] for escape in escapes])
    except KeyError:
        raise S3Error("InvalidURI") from None


def bucket_of(host: str, domains: tuple[str, ...]) -> str | None:
    """The bucket that a virtual-host style Host names: what stands before the longest domain that fits.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """
    return _bucket_of(host, domains) if len(host) <= MAX_HOST else None


@functools.lru_cache(maxsize=4096)
def _bucket_of(host: str, domains: tuple[str, ...]) -> str | None:
    name = _without_port(host)
    fitting = [domain for domain in map(_without_port, domains) if name.endswith("." + domain)]
    if not fitting or name in map(_without_port, domains):
        return None
    return name[: -len(max(fitting, key=len)) - 1]


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).rstrip(".").lower()


def _join_headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Without the blanks behind a value, which uvicorn leaves there."""
    headers = {name.decode("latin-1"): value.rstrip().decode("latin-1") for name, value in pairs}
    if len(headers) != len(pairs):
        headers = {}
        for raw_name, raw_value in pairs:
            name, value = raw_name.decode("latin-1"), raw_value.strip().decode("latin-1")
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _strip_aws_chunked(headers: dict[str, str]) -> None:
    """The object is stored without this coding, which is of the transfer only.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    """
    codings = [coding.strip() for coding in headers["content-encoding"].split(",")]
    kept = ",".join(coding for coding in codings if coding and coding != "aws-chunked")
    if kept:
        headers["content-encoding"] = kept
    else:
        del headers["content-encoding"]


def _public_host(host: str, headers: dict[str, str], domains: tuple[str, ...]) -> str:
    """A proxy that rewrites Host hides the bucket in it; then the forwarded one counts."""
    forwarded = _forwarded_host(headers)
    if bucket_of(host, domains) is None and bucket_of(forwarded, domains) is not None:
        return forwarded
    return host


def _forwarded_host(headers: dict[str, str]) -> str:
    return headers.get("x-forwarded-host", "").partition(",")[0].strip()


def _unescape(raw: bytes) -> str:
    return _text(percent_decode(raw) if _PERCENT in raw else raw)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise S3Error("InvalidURI") from None


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
