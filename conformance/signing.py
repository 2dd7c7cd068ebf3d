"""Signature version 4 written from AWS's pages alone, so that it can disagree with the server's and with botocore's.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from conformance.server import REGION, Keys

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

Query = dict[str, str]
Headers = dict[str, str]


@dataclass(frozen=True)
class Signer:
    """Signs for one key at one moment; each field can be set wrong on purpose."""

    keys: Keys
    region: str = REGION
    service: str = "s3"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    day: str = ""

    @property
    def stamp(self) -> str:
        return self.now.strftime("%Y%m%dT%H%M%SZ")

    @property
    def scope(self) -> str:
        return f"{self.day or self.stamp[:8]}/{self.region}/{self.service}/aws4_request"

    def authorize(self, method: str, path: str, query: Query, headers: Headers, payload: str) -> Headers:
        """The headers with x-amz-date, x-amz-content-sha256 and Authorization added; all of them are signed."""
        headers = headers | {"x-amz-date": self.stamp, "x-amz-content-sha256": payload}
        names = signed_names(headers)
        signature = self.sign(canonical_request(method, path, query, headers, names, payload))
        return headers | {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.keys.access}/{self.scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}"
        }

    def presign(self, method: str, path: str, query: Query, headers: Headers, expires: int | str = 300) -> Query:
        names = signed_names(headers)
        query = query | {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.keys.access}/{self.scope}",
            "X-Amz-Date": self.stamp,
            "X-Amz-Expires": str(expires),
            "X-Amz-SignedHeaders": ";".join(names),
        }
        request = canonical_request(method, path, query, headers, names, UNSIGNED)
        return query | {"X-Amz-Signature": self.sign(request)}

    def sign(self, request: str) -> str:
        return self.seal("AWS4-HMAC-SHA256", hashlib.sha256(request.encode()).hexdigest())

    def seal(self, algorithm: str, *lines: str) -> str:
        text = "\n".join((algorithm, self.stamp, self.scope, *lines))
        return hmac.new(self._key(), text.encode(), hashlib.sha256).hexdigest()

    def chunk(self, previous: str, data: bytes) -> str:
        return self.seal("AWS4-HMAC-SHA256-PAYLOAD", previous, EMPTY_SHA256, hashlib.sha256(data).hexdigest())

    def trailer(self, previous: str, trailers: Headers) -> str:
        text = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        return self.seal("AWS4-HMAC-SHA256-TRAILER", previous, hashlib.sha256(text.encode()).hexdigest())

    def _key(self) -> bytes:
        key = f"AWS4{self.keys.secret}".encode()
        for text in self.scope.split("/"):
            key = hmac.new(key, text.encode(), hashlib.sha256).digest()
        return key


def canonical_request(method: str, path: str, query: Query, headers: Headers, names: list[str], payload: str) -> str:
    lower = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    lines = [f"{name}:{lower[name]}" for name in names]
    return "\n".join((method, path, encode_query(query), *lines, "", ";".join(names), payload))


def signed_names(headers: Headers) -> list[str]:
    return sorted(name.lower() for name in headers)


def encode_path(path: str) -> str:
    return quote(path, safe="/-_.~")


def encode_query(query: Query) -> str:
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def frames(
    signer: Signer, seed: str, chunks: list[bytes], trailers: Headers | None = None, *, signed: bool = True
) -> list[bytes]:
    """An aws-chunked body, frame by frame: the chunks, the empty one that ends them, the trailers."""
    previous, wire = seed, []
    for data in [*chunks, b""]:
        previous = signer.chunk(previous, data)
        mark = f";chunk-signature={previous}" if signed else ""
        wire.append(f"{len(data):x}{mark}\r\n".encode() + (data + b"\r\n" if data else b""))
    lines = "".join(f"{name}:{value}\r\n" for name, value in (trailers or {}).items())
    if trailers and signed:
        lines += f"x-amz-trailer-signature:{signer.trailer(previous, trailers)}\r\n"
    return [*wire, f"{lines}\r\n".encode()]
