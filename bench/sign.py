"""SigV4 by header, as SDKs send it, made ahead of the measurement so that signing is no part of it.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import quote

EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
USER_AGENT = (
    "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11 "
    "md/pyimpl#CPython m/b,Z,N,e cfg/retry-mode#legacy Botocore/1.44.5"
)


class Signer:
    """Signs for one caller at one endpoint; what it signs is good for 15 minutes."""

    def __init__(self, access_key: str, secret_key: str, host: str, region: str = "us-east-1") -> None:
        self.access_key = access_key
        self.secret_key = secret_key
        self.host = host
        self.region = region
        self.date = ""
        self.key = b""

    def head(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        payload: str = EMPTY,
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
        now: float | None = None,
    ) -> bytes:
        """The request up to its body; `payload` is x-amz-content-sha256, names of `headers` lower-case."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        target, canonical_query = quote(path, safe="/-_.~"), _query(query)
        signed = {**(headers or {}), "host": self.host, "x-amz-content-sha256": payload, "x-amz-date": stamp}
        unsigned = {"accept-encoding": "identity", "user-agent": USER_AGENT}
        if "expect" in signed:
            unsigned["expect"] = signed.pop("expect")
        if length is not None:
            unsigned["content-length"] = str(length)
        authorization = self._authorization(method, target, canonical_query, signed, payload, stamp)
        lines = [f"{method} {target}{'?' if canonical_query else ''}{canonical_query} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in (signed | unsigned).items()]
        lines += [f"authorization: {authorization}", "", ""]
        return "\r\n".join(lines).encode()

    def _authorization(
        self, method: str, target: str, query: str, signed: Mapping[str, str], payload: str, stamp: str
    ) -> str:
        names = sorted(signed)
        canonical = "\n".join(
            (
                method,
                target,
                query,
                *(f"{name}:{signed[name].strip()}" for name in names),
                "",
                ";".join(names),
                payload,
            )
        )
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
        signature = hmac.digest(self._signing_key(stamp[:8]), text.encode(), "sha256").hex()
        return (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}"
        )

    def _signing_key(self, date: str) -> bytes:
        if date != self.date:
            key = f"AWS4{self.secret_key}".encode()
            for part in (date, self.region, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self.date, self.key = date, key
        return self.key


def _query(query: Mapping[str, str] | None) -> str:
    if not query:
        return ""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)
