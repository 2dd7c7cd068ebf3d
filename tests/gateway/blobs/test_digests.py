from __future__ import annotations

import hashlib
import os
import zlib

import pytest

from gateway.blobs.digests import COMBINE, NEW, ONE_SHOT, SIZES, Digests, combine_crc, digest

# Each algorithm's published check value over "123456789"; the hashes from their RFCs and reference code.
KNOWN = {
    "CRC32": "cbf43926",
    "CRC32C": "e3069283",
    "CRC64NVME": "ae8b14860a799888",
    "MD5": "25f9e794323b453885f5181f1b624d0b",
    "SHA1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "SHA256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
}


@pytest.mark.parametrize("algorithm", KNOWN)
def test_published_check_values(algorithm: str) -> None:
    assert digest(algorithm, b"123456789").hex() == KNOWN[algorithm]


@pytest.mark.parametrize(
    ("algorithm", "empty"),
    [
        ("XXHASH64", "ef46db3751d8e999"),
        ("XXHASH3", "2d06800538d394c2"),
        ("XXHASH128", "99aa06d3014798d86001c324468d497f"),
    ],
)
def test_xxhash_of_nothing(algorithm: str, empty: str) -> None:
    assert digest(algorithm, b"").hex() == empty


@pytest.mark.parametrize("algorithm", NEW)
def test_block_by_block_is_the_whole(algorithm: str) -> None:
    body = os.urandom(300_001)
    digests = Digests([algorithm])
    for start in range(0, len(body), 70_000):
        digests.update(body[start : start + 70_000])
    assert digests.digests() == {algorithm: digest(algorithm, body)}
    assert digests.digests() == {algorithm: digest(algorithm, body)}


def test_every_algorithm_is_known_in_each_form() -> None:
    assert NEW.keys() == ONE_SHOT.keys() == SIZES.keys()
    assert {name: SIZES[name] for name in ("CRC32", "CRC64NVME", "MD5", "SHA256", "XXHASH3")} == {
        "CRC32": 4,
        "CRC64NVME": 8,
        "MD5": 16,
        "SHA256": 32,
        "XXHASH3": 8,
    }


def test_several_digests_of_one_body() -> None:
    digests = Digests(["MD5", "CRC32", "SHA256"])
    digests.update(b"ducket")
    assert digests.digests() == {
        "MD5": hashlib.md5(b"ducket").digest(),
        "CRC32": zlib.crc32(b"ducket").to_bytes(4, "big"),
        "SHA256": hashlib.sha256(b"ducket").digest(),
    }


@pytest.mark.parametrize("algorithm", COMBINE)
def test_combined_crc_is_that_of_the_whole(algorithm: str) -> None:
    parts = [os.urandom(length) for length in (5, 0, 1 << 16, 1, 99_999)]
    combined = combine_crc(algorithm, [(digest(algorithm, part), len(part)) for part in parts])
    assert combined == digest(algorithm, b"".join(parts))


@pytest.mark.parametrize("algorithm", COMBINE)
def test_combining_nothing_is_the_crc_of_nothing(algorithm: str) -> None:
    assert combine_crc(algorithm, []) == digest(algorithm, b"")


def test_one_that_somebody_else_computes_is_left_out() -> None:
    digests = Digests(["MD5", "CRC32", "CRC64NVME"])
    assert digests.leave("CRC64NVME")
    assert not digests.leave("CRC64NVME")
    digests.update(b"content")
    assert digests.digests() == {name: digest(name, b"content") for name in ("MD5", "CRC32")}
