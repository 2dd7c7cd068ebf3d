from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog import Catalog
from gateway.cli import main


def test_before_there_is_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for action in ("run", "status"):
        assert main(["lifecycle", action, "--data", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "there is no catalog in" in said and "no lifecycle rules were carried out" in said


def test_a_run_and_what_it_came_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Catalog.open(tmp_path).release()
    assert main(["lifecycle", "run", "--dry-run", "--data", str(tmp_path)]) == 0
    assert main(["lifecycle", "status", "--data", str(tmp_path)]) == 1
    assert main(["lifecycle", "run", "--data", str(tmp_path)]) == 0
    assert "nothing was due; 0 buckets with rules" in capsys.readouterr().out
    assert main(["lifecycle", "status", "--json", "--data", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["finished"] > 0
