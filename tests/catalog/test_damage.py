"""A log that was torn at its end is told from one that lost what was acknowledged."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from catalog import Catalog
from catalog.batch import Batch
from catalog.damage import is_cut_short
from catalog.log import FRAME, Log, beginning
from catalog.records import BucketRemoved, LogRecord, Origin, Position, Version

ID = bytes(range(16))
SIZE = 256 * 1024
BODY = 20_000
ORIGIN = Origin()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path / "log", ID, SIZE)
    log.create()
    return log


def append(log: Log, end: Position, count: int, content: bytes = b"") -> Position:
    """A batch of so many records, with bodies that look like nothing in particular."""
    batch = Batch(log, end)
    settled = batch.seq
    for number in range(count):
        batch.place(BODY)
        record = LogRecord(1, Origin(), BucketRemoved(1, f"n{number}"), settled, log.seal)
        batch.add(content or os.urandom(BODY), msgspec.msgpack.encode(record))
    batch.sync()
    return batch.end


def spoil(log: Log, segment: int, offset: int, size: int) -> None:
    with log.path(segment).open("r+b") as file:
        file.seek(offset)
        file.write(bytes(size))


def end_of_chain(log: Log) -> Position:
    return log.read(beginning(ID), None, 10**6)[1]


def test_a_sound_log_is_not(log: Log) -> None:
    end = append(log, append(log, beginning(ID), 2), 3)
    assert end_of_chain(log) == end
    assert not is_cut_short(log, end)


def test_a_torn_batch_that_nobody_was_told_of_is_not(log: Log) -> None:
    end = append(log, beginning(ID), 2)
    append(log, end, 12)  # into the next segment
    spoil(log, 1, end.offset + 100, 50)
    assert end_of_chain(log) == end
    assert not is_cut_short(log, end)


@pytest.mark.parametrize("size", [1, 4096, 3 * BODY])
def test_damage_before_what_was_acknowledged_is(log: Log, size: int) -> None:
    end = append(log, beginning(ID), 2)
    later = append(log, append(log, append(log, append(log, end, 1), 1), 2), 1)
    spoil(log, 1, end.offset + 100, size)
    assert end_of_chain(log) == end != later
    assert is_cut_short(log, end)


def test_a_missing_segment_is(log: Log) -> None:
    end = beginning(ID)
    while end.segment < 4:
        end = append(log, end, 1)
    log.path(2).unlink()
    assert end_of_chain(Log(log.directory, ID, SIZE)).segment == 1
    assert is_cut_short(log, end_of_chain(Log(log.directory, ID, SIZE)))


def test_what_an_older_batch_left_behind_proves_nothing(log: Log) -> None:
    end = append(log, beginning(ID), 1)
    append(log, end, 8)
    end = append(log, end, 1)
    assert end_of_chain(log) == end
    assert not is_cut_short(log, end)


def forged(seal: int) -> bytes:
    """A body full of records that say that far more was acknowledged."""
    message = msgspec.msgpack.encode(LogRecord(1, Origin(), BucketRemoved(1, "n"), 1 << 40, seal))
    record = FRAME.pack(0, 0, len(message), 1000) + message
    return (record * BODY)[:BODY]


@pytest.mark.parametrize("seal", [0, 1 << 63, (1 << 64) - 1])
def test_a_body_that_looks_like_records_proves_nothing(log: Log, seal: int) -> None:
    end = append(log, beginning(ID), 2)
    append(log, end, 5, forged(seal))
    spoil(log, 1, end.offset + 100, 50)
    assert end_of_chain(log) == end
    assert not is_cut_short(log, end)


def test_a_body_of_long_records_holds_nobody_up(log: Log) -> None:
    """Each frame in it claims to be as long as can be: to decode them all would take hours."""
    end = append(log, beginning(ID), 2)
    frame = FRAME.pack(0, 0, SIZE // 2, 1000)
    for _ in range(4):
        append(log, end, 3, (frame * BODY)[:BODY])
    spoil(log, 1, end.offset + 100, 50)
    assert not is_cut_short(log, end)


async def test_a_crafted_body_in_a_torn_batch_does_not_hinder_a_start(tmp_path: Path) -> None:
    """A client can write what looks like a record that says how much was acknowledged."""
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    end = catalog.end()
    content = forged(0)
    await catalog.put(ORIGIN, bucket, "forged", Version(0, "", 0, "e", BODY, "STANDARD", "root"), content)
    await catalog.close()
    with (tmp_path / "log" / f"{end.segment:016x}.log").open("r+b") as file:
        file.seek(end.offset)
        file.write(b"torn" * 20)
    shutil.rmtree(tmp_path / "index")
    catalog = Catalog.open(tmp_path)
    assert catalog.end().seq == end.seq
    catalog.release()
