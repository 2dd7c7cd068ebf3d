from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from catalog import Catalog
from conformance.receiver import receiving
from conformance.server import ROOT
from gateway.notifications.progress import Progress, load
from gateway.settings import Settings, dump

COMMAND = [sys.executable, "-m", "gateway.notifications.background"]


def begin() -> subprocess.Popen[bytes]:
    return subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)


def test_it_says_when_it_is_ready_and_ends_with_its_input(tmp_path: Path) -> None:
    Catalog.open(tmp_path / "data").release()
    with receiving() as receiver, begin() as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(dump(Settings(data=tmp_path / "data", notify_webhook=(("hook", receiver.url),))))
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"
        assert load(tmp_path / "data") == {"hook": Progress(0)}
        process.stdin.close()
        assert process.wait() == 0


def test_without_settings_it_ends() -> None:
    with begin() as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0


def test_what_it_dies_of_it_says(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    with begin() as process:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(dump(Settings(data=tmp_path / "data")))
        process.stdin.flush()
        assert b"Error" in process.stderr.read()
        assert process.wait() == 1
