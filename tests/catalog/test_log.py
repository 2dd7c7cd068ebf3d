from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec
import pytest

from catalog.batch import Batch
from catalog.errors import CatalogUnusable
from catalog.log import FORMAT, HEADER, HEADER_SIZE, MAGIC, Log, beginning
from catalog.records import BucketRemoved, LogRecord, Origin, Piece, Position

ID = bytes(range(16))
SIZE = 256 * 1024


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path / "log", ID, SIZE)
    log.create()
    return log


def message(name: str) -> bytes:
    return msgspec.msgpack.encode(LogRecord(1, Origin(), BucketRemoved(1, name)))


def append(log: Log, end: Position, *entries: tuple[bytes, str]) -> tuple[Position, list[tuple[int, int]]]:
    batch = Batch(log, end)
    places = []
    for body, name in entries:
        places.append(batch.place(len(body)))
        batch.add(body, message(name))
    batch.sync()
    return batch.end, places


def names(log: Log, start: Position, end: Position | None = None) -> list[str]:
    records, _ = log.read(start, end, 10**6)
    return [record.mutation.name for _, record in records if isinstance(record.mutation, BucketRemoved)]


def test_records_read_back_in_order_with_their_numbers(log: Log) -> None:
    end, _ = append(log, beginning(ID), (b"", "a"), (b"body", "b"))
    records, reached = log.read(beginning(ID), end, 100)
    assert [seq for seq, _ in records] == [1, 2]
    assert reached == end


def test_a_body_is_read_from_where_it_was_placed(log: Log) -> None:
    _, places = append(log, beginning(ID), (b"first", "a"), (b"second", "b"))
    assert log.read_body(Piece(6, *places[1]), 0, 6) == b"second"
    assert log.read_body(Piece(6, *places[1]), 2, 3) == b"con"


def test_reading_goes_on_from_any_record(log: Log) -> None:
    middle, _ = append(log, beginning(ID), (b"", "a"))
    end, _ = append(log, middle, (b"", "b"), (b"", "c"))
    assert names(log, middle, end) == ["b", "c"]
    records, reached = log.read(middle, end, 1)
    assert len(records) == 1
    assert names(log, reached, end) == ["c"]


def test_a_full_segment_is_followed_by_the_next(log: Log) -> None:
    end = beginning(ID)
    for number in range(40):
        end, _ = append(log, end, (os.urandom(20_000), f"n{number}"))
    assert end.segment > 3
    assert names(log, beginning(ID), end) == [f"n{number}" for number in range(40)]


def test_what_was_overwritten_never_counts_again(log: Log) -> None:
    """Three records were written and not acknowledged; one of the same size takes the first one's place."""
    kept, _ = append(log, beginning(ID), (b"", "kept"))
    append(log, kept, (b"", "lost1"), (b"", "lost2"), (b"", "lost3"))
    append(log, kept, (b"", "other"))
    assert names(log, beginning(ID)) == ["kept", "other"]


def test_a_torn_tail_ends_the_log(log: Log) -> None:
    end, _ = append(log, beginning(ID), (b"", "a"))
    torn, _ = append(log, end, (b"x" * 100, "b"))
    with log.path(1).open("r+b") as file:
        file.seek(torn.offset - 5)
        file.write(b"\0\0\0\0\0")
    assert names(log, beginning(ID)) == ["a"]


def test_damage_before_the_acknowledged_end_is_not_passed_over(log: Log) -> None:
    end, _ = append(log, beginning(ID), (b"", "a"), (b"", "b"))
    with log.path(1).open("r+b") as file:
        file.seek(HEADER_SIZE + 30)
        file.write(b"\xff")
    with pytest.raises(CatalogUnusable, match="damaged or missing"):
        log.read(beginning(ID), end, 100)


def test_a_log_of_another_catalog_holds_nothing(log: Log) -> None:
    end, _ = append(log, beginning(ID), (b"", "a"))
    other = Log(log.directory, bytes(16), SIZE)
    assert not other.holds(end, HEADER_SIZE)
    assert log.holds(end, HEADER_SIZE)
    assert not log.holds(Position(end.segment, end.offset, end.seq, end.chain ^ 1), HEADER_SIZE)
    assert Log.catalog_of(log.directory) == ID


def test_a_dropped_segment_is_gone_for_new_readers(log: Log) -> None:
    end = beginning(ID)
    places = []
    for number in range(10):
        end, at = append(log, end, (b"z" * 50_000, f"n{number}"))
        places += at
    log.drop(1)
    with pytest.raises(FileNotFoundError):
        log.read_body(Piece(5, *places[0]), 0, 5)
    assert log.read_body(Piece(5, *places[-1]), 0, 5) == b"zzzzz"


def test_a_segment_that_another_process_dropped_is_let_go(log: Log) -> None:
    end = beginning(ID)
    places = []
    for number in range(12):
        end, at = append(log, end, (b"z" * 50_000, f"n{number}"))
        places += at
    log.read_body(Piece(5, *places[0]), 0, 5)
    dropped = log.path(1)
    Log(log.directory, ID, SIZE).drop(1)
    log.read_body(Piece(5, *places[-1]), 0, 5)
    assert not [name for name in open_files() if name.startswith(str(dropped))]


def test_a_body_in_a_segment_that_is_cut_when_dropped_is_gone_and_not_damaged(log: Log) -> None:
    _, places = append(log, beginning(ID), (b"z" * 50_000, "n"))
    piece = Piece(50_000, *places[0])
    assert len(log.read_body(piece, 0, 50_000)) == 50_000
    os.truncate(log.path(1), 1000)
    assert len(log.read_body(piece, 0, 50_000)) < 1000
    with pytest.raises(CatalogUnusable):
        list(log.records_of(1))
    log.path(1).unlink()
    with pytest.raises(FileNotFoundError):
        log.read_body(piece, 0, 50_000)
    with pytest.raises(FileNotFoundError):
        list(log.records_of(1))


@pytest.mark.parametrize("left", ["nothing", "no header", "the header of a batch that was given up"])
def test_a_step_into_a_segment_that_was_never_begun_is_made_again(log: Log, left: str) -> None:
    """The power went when the old segment was closed and the next had no name or header on the disk yet."""
    end = beginning(ID)
    while end.segment == 1:
        before, number = end, end.seq
        end, _ = append(log, end, (bytes(60_000), f"n{number}"))
    after = [f"n{number}" for number in range(before.seq)]
    if left == "nothing":
        log.path(2).unlink()
    else:
        with log.path(2).open("r+b") as file:
            header = HEADER.pack(MAGIC, FORMAT, 2, ID, 1, 7) if left.startswith("the") else bytes(HEADER_SIZE)
            file.write(header + bytes(1000))
    log = Log(log.directory, ID, SIZE)
    _, reached = log.read(beginning(ID), None, 10**6)
    assert reached == before
    end, _ = append(log, reached, (bytes(60_000), "again"))
    assert end.segment == 2
    assert names(Log(log.directory, ID, SIZE), beginning(ID)) == [*after, "again"]


def open_files() -> list[str]:
    names = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.append(str(descriptor.readlink()))
    return names


def laid_out(log: Log) -> list[str]:
    return sorted(path.name for path in log.directory.iterdir() if path.suffix != ".log")


def test_a_segment_that_a_commit_began_meanwhile_is_not_laid_out_again(log: Log) -> None:
    log.make_ahead(2)
    assert laid_out(log) == [f"{2:016x}.ahead"]
    log.open_segment(Position(2, HEADER_SIZE, 0, 0))
    log.make_ahead(2)
    assert laid_out(log) == []


def test_what_killed_processes_laid_out_is_removed(log: Log) -> None:
    log.make_ahead(2)
    for name in ("making.17", f"{1:016x}.ahead", f"{7:016x}.ahead"):
        (log.directory / name).write_bytes(bytes(10))
    log.clear_ahead(beginning(ID))
    assert laid_out(log) == [f"{2:016x}.ahead"]


def test_a_segment_of_a_newer_format_is_not_told_missing(log: Log) -> None:
    with log.path(1).open("r+b") as file:
        file.write(HEADER.pack(MAGIC, FORMAT + 1, 1, ID, 0, 0))
    for look in (lambda: log.missing([1]), lambda: Log.catalog_of(log.directory)):
        with pytest.raises(CatalogUnusable, match="it was written by a newer Ducket"):
            look()
