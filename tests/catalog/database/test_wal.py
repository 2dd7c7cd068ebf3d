"""A write-ahead log of DuckDB's that the power cut tore is used as far as it is sound."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.database.connection import FILE, open_database
from catalog.errors import CatalogUnusable

# Dies without a checkpoint: all it wrote is in the write-ahead log.
WRITER = """
import os, sys
from pathlib import Path
from catalog.database.connection import open_database
connection = open_database(Path(sys.argv[1]))
connection.execute("CHECKPOINT")
for seq in range(1, 11):
    connection.execute("UPDATE private.applied SET seq = ?", [seq])
os._exit(0)
"""


@pytest.fixture
def wal(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path)], check=True, env=os.environ | {"PYTHONPATH": "."})
    return tmp_path / f"{FILE}.wal"


def applied(directory: Path) -> int:
    with open_database(directory) as database:
        ((seq,),) = database.execute("SELECT seq FROM private.applied").fetchall()
    return int(seq)


def spoil(wal: Path, first: int, last: int, content: bytes) -> None:
    whole = wal.read_bytes()
    end = len(whole) + last
    wal.write_bytes(whole[: len(whole) + first] + content * (end - len(whole) - first) + whole[end:])


def test_one_that_is_sound_is_used_whole(wal: Path) -> None:
    assert applied(wal.parent) == 10


@pytest.mark.parametrize("content", [b"\0", b"\x5a", b""])
def test_a_torn_tail_is_cut(wal: Path, content: bytes) -> None:
    spoil(wal, -40, 0, content)
    assert applied(wal.parent) == 9
    assert applied(wal.parent) == 9


def test_what_was_cut_is_kept_aside(wal: Path) -> None:
    spoil(wal, -40, 0, b"\0")
    torn = wal.read_bytes()
    applied(wal.parent)
    assert wal.with_name(f"{wal.name}.damaged").read_bytes() == torn


def test_damage_in_the_middle_ends_it_there(wal: Path) -> None:
    size = wal.stat().st_size
    spoil(wal, -size // 2, -size // 2 + 3, b"\x5a")
    assert 0 < applied(wal.parent) < 9


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"nonsense" * 1000)
    with pytest.raises(CatalogUnusable, match="move it away"):
        open_database(tmp_path)
