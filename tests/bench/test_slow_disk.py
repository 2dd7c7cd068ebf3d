"""A sync takes the time it is told to while the switch is there, and no longer without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.slow_disk import prepare

TIMED = """
import os, sys, time
with open(sys.argv[1], "wb") as file:
    began = time.perf_counter()
    os.fdatasync(file.fileno())
    os.fsync(file.fileno())
    print(time.perf_counter() - began)
"""


def seconds(folder: Path, environment: dict[str, str]) -> float:
    command = [sys.executable, "-c", TIMED, str(folder / "file")]
    return float(subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, check=True).stdout)


def test_the_switch_makes_the_disk_slow(tmp_path: Path) -> None:
    switch = tmp_path / "slow"
    environment = prepare(tmp_path / "modules", switch, 2.0)
    quick = seconds(tmp_path, environment)
    switch.touch()
    assert seconds(tmp_path, environment) >= 4.0
    assert quick < 4.0
