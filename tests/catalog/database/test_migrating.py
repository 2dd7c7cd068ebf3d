from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from catalog.database import connection as module
from catalog.database import migrating
from catalog.database.connection import migrations, open_database
from catalog.database.migrating import bring_up, steps, try_out
from catalog.database.ownership import owning
from catalog.errors import CatalogUnusable

KNOWN = migrations()
NEXT = len(KNOWN) + 1
Knowing = Callable[..., None]


@pytest.fixture
def knowing(monkeypatch: pytest.MonkeyPatch) -> Knowing:
    """Makes our version one that knows these migrations beyond the real ones."""

    def more(*statements: str) -> None:
        extra = [(NEXT + at, f"extra{at}", statement) for at, statement in enumerate(statements)]
        monkeypatch.setattr(module, "migrations", lambda: [*KNOWN, *extra])
        monkeypatch.setattr(migrating, "migrations", lambda: [*KNOWN, *extra])

    return more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with open_database(tmp_path) as database:
        database.execute("UPDATE private.applied SET seq = 7")
    return tmp_path


def found(folder: Path, statement: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "catalog.duckdb")) as database:
        return database.execute(statement).fetchall()


TABLES = "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'new%' ORDER BY ALL"


def test_what_a_database_had_and_lacks(folder: Path, knowing: Knowing) -> None:
    assert [(step.version, step.name) for step in steps(folder)] == [(n, name) for n, name, _ in KNOWN]
    assert all(step.applied is not None for step in steps(folder))
    knowing("SELECT 1", "SELECT 1")
    assert [(step.version, step.name, step.applied) for step in steps(folder)[-2:]] == [
        (NEXT, "extra0", None),
        (NEXT + 1, "extra1", None),
    ]


def test_a_dry_run_changes_nothing(folder: Path, knowing: Knowing) -> None:
    knowing("CREATE TABLE private.new1 AS FROM private.applied", "CREATE TABLE private.new2 (a INTEGER)")
    steps(folder)
    before = sorted(path.name for path in folder.iterdir())
    done = try_out(folder)
    assert ([ran.name for ran in done.ran], done.kept) == (["extra0", "extra1"], None)
    assert sorted(path.name for path in folder.iterdir()) == before
    assert found(folder, TABLES) == []


def test_a_copy_is_kept_before(folder: Path, knowing: Knowing) -> None:
    knowing("CREATE TABLE private.new1 AS FROM private.applied; UPDATE private.applied SET seq = 8")
    done = bring_up(folder)
    assert [ran.version for ran in done.ran] == [NEXT]
    assert done.kept == folder / f"before-migration-{NEXT}"
    assert found(folder, TABLES) == [("new1",)]
    assert found(folder, "SELECT seq FROM private.applied") == [(8,)]
    assert found(done.kept, "SELECT seq FROM private.applied") == [(7,)]
    assert found(done.kept, TABLES) == []
    assert bring_up(folder).ran == () and try_out(folder).ran == ()


def test_what_is_in_the_write_ahead_log_only_is_in_the_copy(folder: Path, knowing: Knowing) -> None:
    with duckdb.connect(str(folder / "catalog.duckdb")) as database:
        database.execute("SET checkpoint_threshold = '1GB'; PRAGMA disable_checkpoint_on_shutdown")
        database.execute("UPDATE private.applied SET seq = 9")
    assert (folder / "catalog.duckdb.wal").stat().st_size > 0
    knowing("SELECT 1")
    done = bring_up(folder)
    assert done.kept is not None and found(done.kept, "SELECT seq FROM private.applied") == [(9,)]


@pytest.mark.parametrize("run", [try_out, bring_up])
def test_one_that_fails_leaves_those_before_it(folder: Path, knowing: Knowing, run: Callable[[Path], object]) -> None:
    knowing("CREATE TABLE private.new1 (a INTEGER)", "CREATE TABLE private.new2 (a INTEGER); SELECT nonsense")
    with pytest.raises(CatalogUnusable) as refusal:
        run(folder)
    assert f"migration {NEXT + 1}, extra1, failed" in refusal.value.why
    assert found(folder, TABLES) == ([("new1",)] if run is bring_up else [])
    assert not (folder / "trying-migrations").exists()


def test_without_room_for_the_copy_nothing_is_run(
    folder: Path, knowing: Knowing, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowing("CREATE TABLE private.new1 (a INTEGER)")

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(migrating, "copy", full)
    with pytest.raises(OSError, match="No space left"):
        bring_up(folder)
    assert found(folder, TABLES) == []
    assert not list(folder.glob("*migration*"))


def test_newer_foreign_missing_and_busy_ones_are_refused(folder: Path, tmp_path: Path, knowing: Knowing) -> None:
    knowing("SELECT 1")
    with owning(folder):
        for run in (steps, try_out, bring_up):
            with pytest.raises(CatalogUnusable, match="another process"):
                run(folder)
    found(folder, f"INSERT INTO private.schema_version VALUES ({NEXT + 1}, 'later', now()::TIMESTAMP)")
    assert steps(folder)[-1].name == "later"
    for run in (try_out, bring_up):
        with pytest.raises(CatalogUnusable, match="newer Ducket"):
            run(folder)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    with pytest.raises(CatalogUnusable, match="there is no"):
        steps(foreign)
    duckdb.connect(str(foreign / "catalog.duckdb")).close()
    for run in (steps, try_out, bring_up):
        with pytest.raises(CatalogUnusable, match="no catalog of Ducket's"):
            run(foreign)
