from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from catalog.database import vacuum
from catalog.database.connection import open_database

ROWS = 4 * vacuum.LEAST


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in a file with ROWS versions."""
    with open_database(tmp_path) as database:
        database.execute(
            "INSERT INTO private.objects"
            " (seq, bucket_id, key, version_id, is_latest, is_delete_marker, size, last_modified, owner, entry)"
            f" SELECT seq, 1, 'k', 'null', true, false, 1, now()::TIMESTAMP, 'o', '' FROM range({ROWS}) AS r (seq)"
        )
        database.execute("CHECKPOINT")
        yield database


def test_a_few_gaps_stay(filled: duckdb.DuckDBPyConnection) -> None:
    before = room(filled)
    remove(filled, "seq % 3 = 0")
    assert room(filled) == before
    assert living(filled) == ROWS - len(range(0, ROWS, 3))


def test_a_table_that_is_mostly_gaps_is_made_denser_step_by_step_and_then_left_alone(
    filled: duckdb.DuckDBPyConnection,
) -> None:
    remove(filled, "seq % 3 <> 0")
    for number in range(20):
        remove(filled, f"seq = {3 * number}")
    assert living(filled) == len(range(0, ROWS, 3)) - 20
    assert living(filled) <= room(filled) <= living(filled) + max(living(filled), vacuum.LEAST)
    assert filled.execute(f"SELECT current_setting('{vacuum.SETTING}')").fetchone() == (0,)


def test_what_is_all_gone_takes_no_room_whatever_the_setting(filled: duckdb.DuckDBPyConnection) -> None:
    before = room(filled)
    filled.execute("DELETE FROM private.objects WHERE seq < ?", [ROWS // 2])
    filled.execute("CHECKPOINT")
    assert room(filled) < before - ROWS // 4


def test_told_to_it_closes_every_gap_even_after_a_checkpoint(filled: duckdb.DuckDBPyConnection) -> None:
    remove(filled, "seq % 3 = 0")
    vacuum.checkpoint(filled)
    assert room(filled) < ROWS - ROWS // 5
    assert living(filled) == ROWS - len(range(0, ROWS, 3))
    assert filled.execute(f"SELECT current_setting('{vacuum.SETTING}')").fetchone() == (0,)


def remove(database: duckdb.DuckDBPyConnection, condition: str) -> None:
    database.execute(f"DELETE FROM private.objects WHERE {condition}")
    vacuum.adjust(database)
    database.execute("CHECKPOINT")


def room(database: duckdb.DuckDBPyConnection) -> int:
    """Rows and gaps."""
    found = database.execute(
        "SELECT estimated_size FROM duckdb_tables() WHERE schema_name = 'private' AND table_name = 'objects'"
    ).fetchone()
    assert found is not None
    return int(found[0])


def living(database: duckdb.DuckDBPyConnection) -> int:
    found = database.execute("SELECT count(*) FROM private.objects").fetchone()
    assert found is not None
    return int(found[0])
