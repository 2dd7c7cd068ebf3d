"""A log that was torn at its end is told from one that lost what was acknowledged."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from catalog.damage import is_cut_short
from catalog.log import Log, beginning
from catalog.records import BucketRemoved, LogRecord, Origin, Position

ID = bytes(range(16))
SIZE = 256 * 1024
BODY = 20_000


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path / "log", ID, SIZE)
    log.create()
    return log


def append(log: Log, end: Position, count: int) -> Position:
    """A batch of so many records, with bodies that look like nothing in particular."""
    batch = log.batch(end)
    settled = batch.seq
    for number in range(count):
        batch.place(BODY)
        record = LogRecord(1, Origin(), BucketRemoved(1, f"n{number}"), settled)
        batch.add(os.urandom(BODY), msgspec.msgpack.encode(record))
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
