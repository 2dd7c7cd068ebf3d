from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog import Catalog
from gateway.cli import main
from gateway.notifications.progress import Progress, save

HOOKS = ("--notify-webhook", "a=https://hook.example/secret, b=http://127.0.0.1:9/, new=http://127.0.0.1:9/")


def test_before_there_is_anything(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notifications", "status"]) == 1
    assert "no target of event notifications is defined: see --notify-webhook" in capsys.readouterr().err
    assert main(["notifications", "status", *HOOKS]) == 1
    assert "there is no catalog in" in capsys.readouterr().err


def test_how_far_each_target_is(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Catalog.open(data).release()
    failing = Progress(0, failures=2, failing_since=5.0, error="it answered 500")
    save(data, {"a": Progress(0, 3, 1_795_262_400.0), "b": failing, "old": Progress(0)})
    assert main(["notifications", "status", *HOOKS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[2:]] == ["a", "b", "new", "old"]
    assert "https://hook.example  arn:minio:sqs::a:webhook" in lines[2] and "secret" not in lines[2]
    assert "failing" in lines[3] and "it answered 500" in lines[3]
    assert main(["notifications", "status", "--json", *HOOKS]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in rows] == ["delivering", "failing", "never begun", "not in these settings"]
    assert rows[0]["delivered_at"] == "2026-11-21 12:00:00+00:00"
    assert (rows[1]["lag"], rows[1]["failures"], rows[2]["delivered"]) == (0, 2, None)
