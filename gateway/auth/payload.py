"""How a body proves itself: what x-amz-content-sha256 announces.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from gateway.auth.chunks import ChunkSignatures
from gateway.auth.claim import Claim
from gateway.auth.signing import SigningKey
from gateway.request import Request
from gateway.s3.errors import S3Error, invalid_argument

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
UNSIGNED = "UNSIGNED-PAYLOAD"

_SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_SIGNED_CHUNKS_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_NOT_DIGESTS = frozenset({UNSIGNED, _UNSIGNED_TRAILER, _SIGNED_CHUNKS, _SIGNED_CHUNKS_TRAILER})
_ECDSA = frozenset({"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"})


class Payload(NamedTuple):
    """`sha256` is the body's, in hex, if it was given; `signatures` check an aws-chunked body's chunks."""

    sha256: str | None = None
    chunked: bool = False
    trailer: bool = False
    signatures: ChunkSignatures | None = None


_PLAIN = Payload()
_EMPTY = Payload(EMPTY_SHA256)
_TRAILER = Payload(chunked=True, trailer=True)


def require_payload_hash(value: str | None) -> str:
    if value is None:
        raise S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    if value == EMPTY_SHA256 or value in _NOT_DIGESTS or is_sha256(value):
        return value
    if value in _ECDSA:
        raise S3Error("NotImplemented", f"The chunk encoding algorithm {value} is not supported.")
    raise invalid_argument(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER,"
        " STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER,"
        " STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"
        " or a valid sha256 value.",
        "x-amz-content-sha256",
        value,
    )


def signed_payload(request: Request, claim: Claim, key: SigningKey) -> Payload:
    """For a hash that `require_payload_hash` let pass; without a body it is compared here and now."""
    value = claim.payload_hash
    if value == EMPTY_SHA256 and not request.content_length and "transfer-encoding" not in request.headers:
        return _EMPTY
    if value == UNSIGNED:
        return _PLAIN
    if value == _UNSIGNED_TRAILER:
        return _TRAILER
    if value in (_SIGNED_CHUNKS, _SIGNED_CHUNKS_TRAILER):
        credential = claim.credential
        signatures = ChunkSignatures(key, credential.access_key, claim.stamp, credential.scope, claim.signature)
        return Payload(chunked=True, trailer=value == _SIGNED_CHUNKS_TRAILER, signatures=signatures)
    return _literal_payload(request, value)


def anonymous_payload(request: Request, kind: str = "Anonymous") -> Payload:
    """Of a request whose signature covers no body, or that has none."""
    value = request.headers.get("x-amz-content-sha256")
    if value is None or require_payload_hash(value) == UNSIGNED:
        return _PLAIN
    if value == _UNSIGNED_TRAILER:
        return _TRAILER
    if value in (_SIGNED_CHUNKS, _SIGNED_CHUNKS_TRAILER):
        raise S3Error(
            "InvalidRequest",
            f"{kind} requests don't support this x-amz-content-sha256 value. Please use UNSIGNED-PAYLOAD"
            " or STREAMING-UNSIGNED-PAYLOAD-TRAILER.",
        )
    return _literal_payload(request, value)


def is_sha256(value: str) -> bool:
    try:
        return len(value) == 64 and len(bytes.fromhex(value)) == 32
    except ValueError:
        return False


def compare_sha256(claimed: str, computed: str) -> None:
    if not hmac.compare_digest(claimed.encode(), computed.encode()):
        raise S3Error(
            "XAmzContentSHA256Mismatch",
            fields={"ClientComputedContentSHA256": claimed, "S3ComputedContentSHA256": computed},
        )


def _literal_payload(request: Request, value: str) -> Payload:
    value = value.lower()
    if not request.content_length and "transfer-encoding" not in request.headers:
        compare_sha256(value, EMPTY_SHA256)
    return Payload(sha256=value)
