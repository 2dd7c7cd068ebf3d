"""Bodies to send, and their digests worked out independently of the server."""

from __future__ import annotations

import base64
import hashlib
import random
import zlib
from collections.abc import Callable

from awscrt import checksums

MIB = 1024 * 1024
PART = 5 * MIB  # the least that S3 takes for a part that is not the last


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def md5_hex(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def etag(data: bytes) -> str:
    return f'"{md5_hex(data)}"'


def multipart_etag(*parts: bytes) -> str:
    joined = b"".join(hashlib.md5(part).digest() for part in parts)
    return f'"{md5_hex(joined)}-{len(parts)}"'


def content_md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def checksum(algorithm: str, data: bytes) -> str:
    return base64.b64encode(DIGESTS[algorithm](data)).decode()


def composite(algorithm: str, *parts: bytes) -> str:
    """A checksum of the parts' checksums, as S3 writes it for a multipart object."""
    digest = DIGESTS[algorithm]
    return f"{checksum(algorithm, b''.join(map(digest, parts)))}-{len(parts)}"


DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: checksums.crc32c(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: checksums.crc64nvme(data).to_bytes(8, "big"),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}
ALGORITHMS = tuple(DIGESTS)
