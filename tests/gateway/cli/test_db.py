from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

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
    assert run("checkpoint") == ""
    wal = data / "catalog.duckdb.wal"
    assert not wal.exists() or wal.stat().st_size == 0
    assert "buckets" in run("export", str(data.parent / "exported"))
    shutil.rmtree(data.parent / "exported")
    assert main(["db", "profile", "DROP TABLE x"]) == 1
