from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from catalog.records import Checksum, Part, Piece, Version
from gateway.blobs.digests import digest
from gateway.blobs.errors import BlobDamaged
from gateway.operations.checksums import COMPOSITE, FULL_OBJECT, encode, etag_of_parts, whole_of_parts
from gateway.scrub.verify import Fault, faults_of

BODIES = {b"one": b"first part " * 1000, b"two": b"second"}
WHOLE = b"".join(BODIES.values())


def read(part: Part) -> Iterator[bytes]:
    piece = part.piece
    assert piece is not None and piece.blob is not None
    if piece.blob not in BODIES:
        raise FileNotFoundError(2, "no such file", piece.blob.decode())
    body = BODIES[piece.blob][piece.offset : piece.offset + piece.size]
    yield body[:100]
    yield body[100:]


def part(number: int, name: bytes) -> Part:
    body = BODIES[name]
    checksum = Checksum("SHA256", encode(digest("SHA256", body)))
    return Part(number, len(body), digest("MD5", body).hex(), 0, Piece(len(body), blob=name), checksum)


def version(body: Piece | None, parts: list[Part] | None, etag: str, size: int, checksum: Checksum) -> Version:
    return Version(1, "null", 0, etag, size, "STANDARD", "me", checksum, body=body, parts=parts)


PARTS = [part(1, b"one"), part(2, b"two")]
PLAIN = version(
    *(Piece(6, blob=b"two"), None, digest("MD5", BODIES[b"two"]).hex(), 6),
    Checksum("CRC32", encode(digest("CRC32", BODIES[b"two"]))),
)
COMPOSED = version(None, PARTS, etag_of_parts(PARTS, 2), len(WHOLE), whole_of_parts("SHA256", COMPOSITE, PARTS))
COPIED = version(
    *(None, PARTS, digest("MD5", WHOLE).hex(), len(WHOLE)),
    Checksum("CRC64NVME", encode(digest("CRC64NVME", WHOLE)), FULL_OBJECT),
)
EMPTY = version(None, None, digest("MD5", b"").hex(), 0, Checksum("CRC32", encode(digest("CRC32", b""))))


@pytest.mark.parametrize("held", [PLAIN, COMPOSED, COPIED, EMPTY])
def test_what_is_as_it_was_has_no_faults(held: Version) -> None:
    assert faults_of(held, read) == []


def kinds(faults: list[Fault]) -> list[tuple[str, int]]:
    return [(fault.kind, fault.part) for fault in faults]


@pytest.mark.parametrize("held", [PLAIN, COMPOSED, COPIED, EMPTY])
def test_another_etag_or_checksum_of_the_whole_is_a_fault(held: Version) -> None:
    assert held.checksum is not None
    other = msgspec.structs.replace(held.checksum, value=encode(digest(held.checksum.algorithm, b"other")))
    assert kinds(faults_of(msgspec.structs.replace(held, etag="0" * 32), read)) == [("etag", 0)]
    assert kinds(faults_of(msgspec.structs.replace(held, checksum=other), read)) == [("checksum", 0)]


def test_a_part_is_held_against_its_own_etag_and_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BODIES, b"two", b"2econd")
    for held in (COMPOSED, COPIED):
        assert kinds(faults_of(held, read)) == [("etag", 2), ("checksum", 2)]
    assert kinds(faults_of(PLAIN, read)) == [("etag", 0), ("checksum", 0)]


def test_bytes_that_are_too_few_or_missing_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BODIES, b"two", b"secon")
    assert kinds(faults_of(PLAIN, read)) == [("size", 0)]
    monkeypatch.delitem(BODIES, b"two")
    assert faults_of(COMPOSED, read) == [Fault("missing", "two is not there", 2, "blobs/74/74776f")]


def test_the_parts_have_as_many_bytes_as_the_whole() -> None:
    held = msgspec.structs.replace(COMPOSED, size=1)
    assert kinds(faults_of(held, read)) == [("size", 0)]


def test_sums_that_do_not_fit_say_where_bytes_are_wrong_or_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(part: Part) -> Iterator[bytes]:
        yield from read(part)
        raise BlobDamaged(b"two", 0, 6)

    for held, number in ((PLAIN, 0), (COMPOSED, 1), (COPIED, 1)):
        found = faults_of(held, damaged)
        assert kinds(found)[0] == ("block", number)
        assert "the bytes 0 to 5" in found[0].detail
    monkeypatch.setitem(BODIES, b"two", b"2econd")
    for held in (PLAIN, COMPOSED, COPIED):
        found = [fault for fault in faults_of(held, damaged) if fault.part != 1]
        assert [fault.kind for fault in found] == ["etag", "checksum"]
        assert all("the bytes 0 to 5" in fault.detail for fault in found)
