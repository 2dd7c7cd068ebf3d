from __future__ import annotations

from pathlib import Path

import duckdb

from catalog.database import vacuum
from catalog.database.connection import open_database
from catalog.database.frames import Storage, StoredTable
from catalog.database.limits import Limits
from catalog.database.storage import take_reads, take_storage

POINTS = "INSERT INTO private.points SELECT 1, 'p', range, now()::TIMESTAMP FROM range({}, {})"


def table(connection: duckdb.DuckDBPyConnection, directory: Path) -> StoredTable:
    return next(each for each in taken(connection, directory).tables if each.name == "points")


def taken(connection: duckdb.DuckDBPyConnection, directory: Path) -> Storage:
    return take_storage(connection, directory, Limits(memory=512))


def test_rows_in_the_log_only_dead_ones_and_what_a_checkpoint_makes_of_them(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        assert table(database, tmp_path).row_groups == 0
        database.execute(POINTS.format(0, 300_000))
        database.execute("CHECKPOINT")
        saved = table(database, tmp_path)
        assert (saved.rows, saved.row_groups, saved.dead, saved.unsaved, saved.sparse) == (300_000, 3, 0, 0, 0)
        assert saved.bytes > 0
        database.execute(POINTS.format(300_000, 300_010))
        assert table(database, tmp_path).unsaved == 10
        assert taken(database, tmp_path).wal > 0
        database.execute("DELETE FROM private.points WHERE seq < 200000")
        deleted = table(database, tmp_path)
        assert (deleted.rows, deleted.dead) == (100_010, 200_000)
        vacuum.checkpoint(database)
        merged = table(database, tmp_path)
        assert (merged.rows, merged.unsaved) == (100_010, 0) and merged.dead < 50_000


def test_groups_whose_sequence_numbers_meet_are_told(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        database.execute(POINTS.format(0, 245_760))
        assert table(database, tmp_path).overlapping == 0
        database.execute(POINTS.format(5, 6))
        database.execute("CHECKPOINT")
        assert (table(database, tmp_path).row_groups, table(database, tmp_path).overlapping) == (3, 1)


def test_the_database_as_a_whole(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        database.execute(POINTS.format(0, 1_000_000))
        database.execute("CHECKPOINT")
        found = taken(database, tmp_path)
        assert found.size <= (tmp_path / "catalog.duckdb").stat().st_size
        assert 0 <= found.free < found.size
        assert (found.buffer_limit, found.reads) == (384 << 20, None)


def test_what_this_process_read(tmp_path: Path) -> None:
    before = take_reads()
    (tmp_path / "file").write_bytes(bytes(100_000))
    (tmp_path / "file").read_bytes()
    after = take_reads()
    assert after.asked >= before.asked + 100_000
    assert after.from_disk >= before.from_disk
