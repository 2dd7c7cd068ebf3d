from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.blobs.digests import digest
from gateway.blobs.errors import BlobCut, BlobDamaged
from gateway.blobs.sums import (
    BLOCK,
    SUM,
    WINDOW,
    Sums,
    Table,
    around,
    compare,
    has_sums,
    new_id,
    renew,
    size_of_body,
    size_of_file,
)

OLD = bytes(range(16))
SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 5]


@pytest.mark.parametrize("size", [*SIZES, 5 << 30])
def test_the_size_of_a_file_says_that_of_its_body(size: int) -> None:
    blob = new_id()
    assert size_of_body(blob, size_of_file(blob, size)) == size
    assert size_of_body(OLD, size_of_file(OLD, size)) == size == size_of_file(OLD, size)


@pytest.mark.parametrize("size", range(2 * SUM + 2))
def test_a_file_of_any_size_has_some_body(size: int) -> None:
    assert 0 <= size_of_body(new_id(), size) <= size


def test_an_id_is_new_and_says_that_there_are_sums() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(blob) == 16 and has_sums(blob) for blob in ids)
    assert not has_sums(OLD)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [7001, BLOCK, BLOCK + 1, 1 << 20])
def test_they_are_the_same_in_whatever_pieces_the_bytes_come(size: int, step: int) -> None:
    content = os.urandom(size)
    pieces, whole = Sums(OLD), Sums(OLD)
    for start in range(0, size, step):
        pieces.update(content[start : start + step])
    whole.update(content)
    assert pieces.table() == whole.table()
    assert pieces.digest() == digest("CRC64NVME", content)
    assert len(whole.table()) == -(-size // BLOCK) * SUM


class Written:
    """A body of `blocks` blocks and a bit, in a file."""

    def __init__(self, path: Path, blocks: int) -> None:
        self.blob = new_id()
        self.content = os.urandom(blocks * BLOCK + 100)
        sums = Sums(self.blob)
        sums.update(self.content)
        path.write_bytes(self.content + sums.table())
        self.size = len(self.content)
        self.file = os.open(path, os.O_RDWR)

    def flip(self, at: int) -> None:
        os.pwrite(self.file, bytes([os.pread(self.file, 1, at)[0] ^ 1]), at)

    def check(self, start: int, stop: int, blob: bytes | None = None) -> None:
        first, last = around(start, stop, self.size)
        content = memoryview(os.pread(self.file, last - first, first))
        Table(blob or self.blob, self.file, self.size, stop).check(content, first, 0)


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    made = Written(tmp_path / "blob", 3)
    yield made
    os.close(made.file)


def test_what_was_written_is_sound(written: Written) -> None:
    for start, stop in ((0, written.size), (5, 6), (BLOCK - 1, BLOCK + 1), (written.size - 1, written.size)):
        written.check(start, stop)


@pytest.mark.parametrize("number", range(4))
def test_one_bit_damages_its_block_and_no_other(written: Written, number: int) -> None:
    end = min(written.size, (number + 1) * BLOCK)
    for at in (number * BLOCK, end - 1, written.size + number * SUM):
        written.flip(at)
        with pytest.raises(BlobDamaged) as found:
            written.check(0, written.size)
        assert found.value == BlobDamaged(written.blob, number * BLOCK, end)
        assert f"the bytes {number * BLOCK} to {end - 1} of the blob {written.blob.hex()}" in str(found.value)
        for other in {0, 1, 2, 3} - {number}:
            written.check(other * BLOCK, other * BLOCK + 1)
        written.flip(at)


def test_bytes_of_another_blob_do_not_fit(written: Written) -> None:
    with pytest.raises(BlobDamaged):
        written.check(0, 1, blob=new_id())


def test_sums_that_are_not_there_are_a_cut(written: Written) -> None:
    os.truncate(written.file, written.size)
    with pytest.raises(BlobCut):
        written.check(0, 1)


def test_more_sums_than_are_held_at_once(tmp_path: Path) -> None:
    made = Written(tmp_path / "blob", WINDOW + 3)
    table = Table(made.blob, made.file, made.size, made.size)
    content = memoryview(made.content)
    for first in [*range(0, WINDOW + 4, 3), 0]:
        table.check(content[first * BLOCK : (first + 3) * BLOCK], first * BLOCK, 0)
    made.flip(made.size + (WINDOW + 1) * SUM)
    with pytest.raises(BlobDamaged):
        made.check(WINDOW * BLOCK, made.size)
    os.close(made.file)


def test_a_table_is_compared_with_what_is_kept(written: Written) -> None:
    sums = Sums(written.blob)
    sums.update(written.content[BLOCK:])
    compare(written.blob, written.file, written.size, 1, sums.table())
    written.flip(written.size + 2 * SUM)
    with pytest.raises(BlobDamaged) as found:
        compare(written.blob, written.file, written.size, 1, sums.table())
    assert found.value == BlobDamaged(written.blob, 2 * BLOCK, 3 * BLOCK)


def test_made_anew_of_whole_blocks_only(written: Written) -> None:
    for at in (0, BLOCK, 2 * BLOCK, 3 * BLOCK):
        written.flip(at)
    renew(written.blob, written.file, written.size, 1, 2 * BLOCK + 1)
    written.check(BLOCK, 2 * BLOCK)
    for at in (0, 2 * BLOCK, 3 * BLOCK):
        with pytest.raises(BlobDamaged):
            written.check(at, at + 1)
    renew(written.blob, written.file, written.size, 0, written.size)
    written.check(0, written.size)
