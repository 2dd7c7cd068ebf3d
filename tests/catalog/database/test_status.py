from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from catalog.database.follower import Follower
from catalog.database.status import take_status
from tests.catalog.database.history import History, MemorySource


def test_a_file_that_a_checkpoint_takes_away_meanwhile_is_passed_over(
    database: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.is_file

    def is_file(path: Path) -> bool:
        found = real(path)
        if path.suffix == ".wal":
            path.unlink()
        return found

    (tmp_path / "catalog.duckdb").write_bytes(b"12345")
    (tmp_path / "catalog.duckdb.wal").write_bytes(b"123")
    monkeypatch.setattr(Path, "is_file", is_file)
    source = MemorySource(History())
    assert take_status(tmp_path, database, Follower(database.cursor(), source), source).sizes == {"catalog.duckdb": 5}
