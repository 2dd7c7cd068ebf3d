from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from catalog.database import served
from catalog.requests import FOLDER, Incoming, waiting
from tests.catalog.database.served_rows import NOW, hand_over

TODAY = NOW.date()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / FOLDER


def write(folder: Path, first: int, last: int, *keys: str) -> None:
    hand_over(folder.parent, *({"key": key} for key in keys))
    (path,) = waiting(folder.parent)
    for _ in served.write(folder, served.tables(path), first, last):
        pass
    path.unlink()


def keys(files: list[served.File]) -> list[str]:
    statement = f"SELECT key FROM ({served.reading(files)}) ORDER BY key"
    return [key for (key,) in duckdb.connect().execute(statement).fetchall()]


def test_rows_lie_in_the_folder_of_their_day(folder: Path) -> None:
    yesterday = NOW - timedelta(days=1)
    hand_over(folder.parent, {"key": "new"}, {"key": "old", "time": yesterday.timestamp()}, {"key": "newer"})
    for _ in served.write(folder, served.tables(*waiting(folder.parent)), 7, 7):
        pass
    old, new = served.every(folder)
    assert (old.day, new.day) == (TODAY - timedelta(days=1), TODAY)
    assert (keys([old]), keys([new])) == (["old"], ["new", "newer"])
    assert new.path == folder / f"day={TODAY}" / "0000000000000007-0000000000000007.parquet"
    assert new.path.stat().st_mode & 0o777 == 0o600


def test_values_are_as_they_were_handed_over(folder: Path) -> None:
    write(folder, 1, 1, "a\0\nü'")
    ((row),) = duckdb.connect().execute(served.reading(served.every(folder))).fetchall()
    assert row == (
        *(NOW.replace(tzinfo=None), "REQ", "root", "127.0.0.1", "GetObject", 1, "photos", "a\0\nü'", None, 200, None),
        *(5, 0, 1.5, 1.0, None, "test", TODAY),
    )


def test_of_no_files_there_are_columns_but_no_rows(folder: Path) -> None:
    write(folder, 1, 1, "a")
    connection = duckdb.connect()
    none, some = (connection.sql(served.reading(files)) for files in ([], served.every(folder)))
    assert (none.columns, none.types) == (some.columns, some.types)
    assert none.fetchall() == []


def test_a_file_made_of_several_voids_them(folder: Path) -> None:
    for number, key in enumerate("abcd"):
        write(folder, number, number, key)
    middle = served.every(folder)[1:3]
    for _ in served.write(folder, served.read(middle), 1, 2):
        pass
    files, void = served.valid(folder)
    assert [(file.first, file.last) for file in files] == [(0, 0), (1, 2), (3, 3)]
    assert [file.path for file in void] == [file.path for file in middle]
    assert keys(files) == ["a", "b", "c", "d"]


def test_work_that_is_broken_off_leaves_nothing(folder: Path) -> None:
    hand_over(folder.parent, {})
    work = served.write(folder, served.tables(*waiting(folder.parent)), 1, 1)
    next(work)
    assert list(folder.glob("day=*/*.new"))
    work.close()
    assert list(folder.glob("day=*/*")) == []


def test_what_a_killed_process_left_is_removed_and_what_is_damaged_set_aside(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number, key in enumerate("ab"):
        write(folder, number, number, key)
    first, second = served.every(folder)
    second.path.write_bytes(second.path.read_bytes()[:-10])
    first.path.with_suffix(".new").write_bytes(b"PAR1")
    served.tidy(folder)
    assert served.every(folder) == [first]
    assert {path.name for path in first.path.parent.iterdir()} == {first.path.name, f"{second.path.stem}.damaged"}
    assert "cannot be read" in caplog.text


def test_names_that_are_none_of_ours_are_passed_over(folder: Path) -> None:
    write(folder, 1, 1, "a")
    (file,) = served.every(folder)
    for name in ("day=today/0001-0001.parquet", f"day={TODAY}/x.parquet", f"day={TODAY}/1-2-3.parquet"):
        stray = folder / name
        stray.parent.mkdir(exist_ok=True)
        stray.write_bytes(file.path.read_bytes())
    assert served.every(folder) == [file]


def test_rows_of_another_shape_are_passed_over(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    incoming = Incoming(folder.parent)
    incoming.append(b"\x91\x01")
    hand_over(folder.parent, {"key": "a"}, incoming=incoming)
    (table,) = served.tables(*waiting(folder.parent))
    assert table["key"].to_pylist() == ["a"]
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("name", ["it's", "a[1]", "*", "{a,b}", "q?"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / FOLDER
    write(folder, 1, 1, "a")
    assert keys(served.every(folder)) == ["a"]
    assert served.every(folder)[0].day == date.fromisoformat(f"{TODAY}")
