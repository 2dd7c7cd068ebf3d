from __future__ import annotations

from pathlib import Path

import pytest

from conformance.server import running
from gateway.cli import main


@pytest.mark.parametrize("served", [False, True])
def test_a_view_from_its_making_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str], served: bool) -> None:
    data = tmp_path / "data"
    assert main(["user", "create", "alice", "--data", str(data)]) == 0
    if served:
        with running(data, "--workers", "1"):
            go_through(data, tmp_path / "mine.sql", capsys)
    else:
        go_through(data, tmp_path / "mine.sql", capsys)


def go_through(data: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main([*arguments, "--data", str(data)]) == 0
        return capsys.readouterr().out

    file.write_text("-- How many buckets there are.\nSELECT count(*) AS buckets FROM buckets\n")
    run("view", "add", "mine", str(file))
    listed = run("view", "list").splitlines()
    assert any(line.split()[:2] == ["objects", "view"] for line in listed)
    assert any(line.split()[:2] == ["delta", "macro"] for line in listed)
    assert listed[-1].split()[:3] == ["mine", "own", "How"]
    described = run("view", "describe", "mine")
    assert "How many buckets there are." in described
    assert "buckets  BIGINT" in described
    assert "count(*)" in described
    assert "record_timestamp" in run("view", "describe", "journal")
    both = run("view", "describe", "usage")
    assert "prefix               VARCHAR" in both and "(bucket_name, levels) AS TABLE" in both
    run("view", "materialise", "mine")
    run("view", "refresh", "mine")
    assert "materialised" in run("view", "list")
    assert run("sql", "FROM mine", "--format", "csv") == '"buckets"\n0\n'
    run("view", "remove", "mine")
    assert main(["view", "describe", "mine", "--data", str(data)]) == 1
    assert main(["view", "remove", "mine", "--data", str(data)]) == 1
    assert capsys.readouterr().err == ("ducket: there is no view mine\nducket: there is no view mine of your own\n")
