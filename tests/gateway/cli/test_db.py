from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from catalog.database import connection, migrating
from conformance.server import running
from gateway.cli import main

DOCS = Path(__file__).parents[3] / "docs" / "schema.md"


@pytest.mark.parametrize("served", [False, True])
def test_the_database_is_looked_after(data: Path, capsys: pytest.CaptureFixture[str], served: bool) -> None:
    assert main(["user", "create", "alice"]) == 0
    if served:
        with running(data, "--workers", "1"):
            go_through(data, capsys, served)
    else:
        go_through(data, capsys, served)


def go_through(data: Path, capsys: pytest.CaptureFixture[str], served: bool) -> None:
    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(["db", *arguments]) == 0
        return capsys.readouterr().out

    assert run("schema", "--markdown") == DOCS.read_text()
    assert ["users", "7", "0", "1"] in [line.split()[:4] for line in run("schema").splitlines()]
    statement = "SELECT count(*) FROM range(1000)"
    assert "RANGE" in run("profile", statement)
    assert json.loads(run("profile", statement, "--json"))["operators"]
    analysis = json.loads(run("analyze", "--json"))
    assert (analysis["seq"], analysis["journal"], analysis["advice"]) == (1, 1, [])
    assert (analysis["hit_rate"] is not None) == served
    assert "commit log" in run("analyze") and ("hits" in run("analyze")) == served
    state = json.loads(run("migrate", "status", "--json"))
    assert state["version"] == state["known"] > 0 and state["lacking"] == 0
    assert f"schema version {state['known']}" in run("migrate", "status")
    assert run("migrate", "up") == run("migrate", "up", "--dry-run") == "nothing is lacking\n"
    assert run("checkpoint") == ""
    wal = data / "catalog.duckdb.wal"
    assert not wal.exists() or wal.stat().st_size == 0
    assert "buckets" in run("export", str(data.parent / "exported"))
    shutil.rmtree(data.parent / "exported")
    assert main(["db", "profile", "DROP TABLE x"]) == 1


def test_migrations_that_are_lacking(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["user", "create", "alice"]) == 0
    assert main(["db", "checkpoint"]) == 0
    known = connection.migrations()
    later = [*known, (len(known) + 1, "later", "CREATE TABLE private.later (a INTEGER)")]
    for module in (connection, migrating):
        monkeypatch.setattr(module, "migrations", lambda: later)
    capsys.readouterr()
    for command, says in (
        (["status"], "1 migrations are lacking"),
        (["up", "--dry-run"], "the database is as it was"),
        (["status"], "1 migrations are lacking"),
        (["up"], f"kept in {data / f'before-migration-{len(later)}'}"),
        (["status"], f"schema version {len(later)}"),
    ):
        assert main(["db", "migrate", *command]) == 0
        assert says in capsys.readouterr().out
    monkeypatch.undo()
    monkeypatch.setenv("DUCKET_DATA", str(data))
    assert main(["db", "migrate", "status"]) == 0
    assert "newer Ducket" in capsys.readouterr().out
    for refused in (["db", "migrate", "up"], ["db", "schema"]):
        assert main(refused) == 1
        assert "newer Ducket" in capsys.readouterr().err


def test_a_server_of_another_version_is_stopped_first(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(data, "--workers", "1"):
        later = [*connection.migrations(), (99, "later", "SELECT 1")]
        monkeypatch.setattr(migrating, "migrations", lambda: later)
        assert main(["db", "migrate", "status"]) == 0
        assert "stop the server" in capsys.readouterr().out
        assert main(["db", "migrate", "up"]) == 1
        assert "stop the server first" in capsys.readouterr().err
