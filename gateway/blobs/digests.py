"""The digests S3 knows, by S3's names, computed over bytes as they come.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable
from typing import Protocol

from awscrt import checksums

Data = bytes | bytearray | memoryview


class Hash(Protocol):
    def update(self, data: Data, /) -> None: ...

    def digest(self) -> bytes: ...


class Digests:
    """Several digests of one body.

    Each of the `slow` is worth a thread of its own, all the fast together are not. Blocks come in order.
    """

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._hashes = {name: NEW[name]() for name in algorithms}
        self.slow = [each.update for name, each in self._hashes.items() if name in SLOW]
        self._fast = [each.update for name, each in self._hashes.items() if name not in SLOW]

    def leave(self, algorithm: str) -> bool:
        """Whether it is wanted: from now on it is somebody else's to compute."""
        taken = self._hashes.pop(algorithm, None)
        if taken is not None:
            self._fast = [update for update in self._fast if update != taken.update]
        return taken is not None

    def update(self, data: Data) -> None:
        self.update_fast(data)
        for update in self.slow:
            update(data)

    def update_fast(self, data: Data) -> None:
        for update in self._fast:
            update(data)

    def digests(self) -> dict[str, bytes]:
        return {name: each.digest() for name, each in self._hashes.items()}


def digest(algorithm: str, data: bytes) -> bytes:
    return ONE_SHOT[algorithm](data)


def combine_crc(algorithm: str, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """The CRC of parts one after another from each part's CRC and length, without their bytes."""
    combine = COMBINE[algorithm]
    width = SIZES[algorithm]
    whole = 0
    for value, length in parts:
        whole = combine(whole, int.from_bytes(value, "big"), length)
    return whole.to_bytes(width, "big")


class Crc:
    __slots__ = ("_function", "_value", "_width")

    def __init__(self, function: Callable[[Data, int], int], width: int) -> None:
        self._function = function
        self._width = width
        self._value = 0

    def update(self, data: Data, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


class XXHash:
    """awscrt's XXHash can be finalized once only; this one may be asked again."""

    __slots__ = ("_digest", "_hash")

    def __init__(self, new: Callable[[], checksums.XXHash]) -> None:
        self._hash = new()
        self._digest: bytes | None = None

    def update(self, data: Data, /) -> None:
        self._hash.update(bytes(data))  # it takes nothing else

    def digest(self) -> bytes:
        if self._digest is None:
            self._digest = bytes(self._hash.finalize())
        return self._digest


NEW: dict[str, Callable[[], Hash]] = {
    "CRC32": lambda: Crc(zlib.crc32, 4),
    "CRC32C": lambda: Crc(checksums.crc32c, 4),
    "CRC64NVME": lambda: Crc(checksums.crc64nvme, 8),
    "MD5": lambda: hashlib.md5(usedforsecurity=False),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
    "SHA512": hashlib.sha512,
    "XXHASH64": lambda: XXHash(checksums.XXHash.new_xxhash64),
    "XXHASH3": lambda: XXHash(checksums.XXHash.new_xxhash3_64),
    "XXHASH128": lambda: XXHash(checksums.XXHash.new_xxhash3_128),
}

ONE_SHOT: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: checksums.crc32c(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: checksums.crc64nvme(data).to_bytes(8, "big"),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "SHA1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
    "SHA512": lambda data: hashlib.sha512(data).digest(),
    "XXHASH64": lambda data: bytes(checksums.XXHash.compute_xxhash64(data)),
    "XXHASH3": lambda data: bytes(checksums.XXHash.compute_xxhash3_64(data)),
    "XXHASH128": lambda data: bytes(checksums.XXHash.compute_xxhash3_128(data)),
}

COMBINE: dict[str, Callable[[int, int, int], int]] = {
    "CRC32": checksums.combine_crc32,
    "CRC32C": checksums.combine_crc32c,
    "CRC64NVME": checksums.combine_crc64nvme,
}

SIZES = {name: len(one(b"")) for name, one in ONE_SHOT.items()}

# At 1 GiB a second or so these cost a core its time; the others run at 7 to 80.
SLOW = frozenset({"MD5", "SHA1", "SHA256", "SHA512"})
