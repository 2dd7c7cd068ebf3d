"""The chain of signatures over an aws-chunked body: each chunk's covers the one before it.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

from hashlib import sha256

from gateway.auth.signing import SigningKey, signature_mismatch

_EMPTY_SHA256 = sha256(b"").hexdigest()


class ChunkSignatures:
    """Begins at the signature of the request's head. Checks raise SignatureDoesNotMatch."""

    __slots__ = ("_access_key", "_head", "_key", "_previous")

    def __init__(self, key: SigningKey, access_key: str, stamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._access_key = access_key
        self._head = f"{stamp}\n{scope}"
        self._previous = seed

    def check_chunk(self, digest: str, signature: str) -> None:
        """`digest` is the SHA-256 of the chunk's data in hex."""
        self._check(f"AWS4-HMAC-SHA256-PAYLOAD\n{self._head}\n{self._previous}\n{_EMPTY_SHA256}\n{digest}", signature)

    def check_trailers(self, trailers: dict[str, str], signature: str) -> None:
        lines = "".join(f"{name}:{trailers[name]}\n" for name in sorted(trailers))
        digest = sha256(lines.encode("latin-1")).hexdigest()
        self._check(f"AWS4-HMAC-SHA256-TRAILER\n{self._head}\n{self._previous}\n{digest}", signature)

    def _check(self, to_sign: str, signature: str) -> None:
        if not self._key.matches(to_sign, signature):
            raise signature_mismatch(self._access_key, to_sign, signature)
        self._previous = signature
