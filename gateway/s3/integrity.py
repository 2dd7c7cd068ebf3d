"""Content-MD5 and x-amz-checksum-* of a document read whole (an object's bytes are checked as they come)."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping

from awscrt import checksums

from gateway.s3.errors import S3Error

PREFIX = "x-amz-checksum-"
NO_VALUES = frozenset({f"{PREFIX}algorithm", f"{PREFIX}mode", f"{PREFIX}type"})
_MISSING = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"


Verify = Callable[[bytes, dict[str, str], Mapping[str, str]], None]


def compile_verify(required: bool, of_object: bool) -> Verify:
    """`of_object`: here the checksum headers tell of the object that comes to be, not of the document.

    A trailer always tells of what came before it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    """

    def verify(document: bytes, headers: dict[str, str], trailers: Mapping[str, str]) -> None:
        found = "content-md5" in headers and _verify_md5(document, headers["content-md5"])
        sent = [
            (name[len(PREFIX) :], value)
            for said in ((trailers,) if of_object else (headers, trailers))
            for name, value in said.items()
            if name.startswith(PREFIX) and name not in NO_VALUES
        ]
        if len(sent) > 1:
            raise several()
        for algorithm, value in sent:
            found = _verify_checksum(document, algorithm, value)
        if required and not found:
            raise S3Error("InvalidRequest", _MISSING)

    return verify


def several() -> S3Error:
    return S3Error(
        "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
    )


def no_algorithm() -> S3Error:
    return S3Error("InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid.")


def bad_md5(sent: bytes, computed: bytes) -> S3Error:
    """S3 shows the one in hexadecimal: https://github.com/versity/versitygw/issues/2034."""
    fields = {"ExpectedDigest": sent.hex(), "CalculatedDigest": b64encode(computed).decode()}
    return S3Error("BadDigest", fields=fields)


def _verify_md5(document: bytes, value: str) -> bool:
    sent = _decode(value)
    if sent is None or len(sent) != 16:
        raise S3Error("InvalidDigest", fields={"Content-MD5": value})
    computed = hashlib.md5(document, usedforsecurity=False).digest()
    if computed != sent:
        raise bad_md5(sent, computed)
    return True


def _verify_checksum(document: bytes, algorithm: str, value: str) -> bool:
    compute = _ALGORITHMS.get(algorithm)
    if compute is None:
        raise no_algorithm()
    computed = compute(document)
    sent = _decode(value)
    if sent is None or len(sent) != len(computed):
        raise S3Error("InvalidRequest", f"Value for {PREFIX}{algorithm} header is invalid.")
    if computed != sent:
        message = f"The {algorithm.upper()} you specified did not match the calculated checksum."
        raise S3Error("BadDigest", message)
    return True


def _decode(value: str) -> bytes | None:
    try:
        return b64decode(value, validate=True)
    except ValueError:
        return None


_ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "crc32": lambda document: checksums.crc32(document).to_bytes(4, "big"),
    "crc32c": lambda document: checksums.crc32c(document).to_bytes(4, "big"),
    "crc64nvme": lambda document: checksums.crc64nvme(document).to_bytes(8, "big"),
    "md5": lambda document: hashlib.md5(document, usedforsecurity=False).digest(),
    "sha1": lambda document: hashlib.sha1(document, usedforsecurity=False).digest(),
    "sha256": lambda document: hashlib.sha256(document).digest(),
    "sha512": lambda document: hashlib.sha512(document).digest(),
    "xxhash64": lambda document: bytes(checksums.XXHash.compute_xxhash64(document)),
    "xxhash3": lambda document: bytes(checksums.XXHash.compute_xxhash3_64(document)),
    "xxhash128": lambda document: bytes(checksums.XXHash.compute_xxhash3_128(document)),
}
