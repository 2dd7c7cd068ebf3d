from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("own_session", [True, False])
def test_a_process_gives_way_in_a_session_of_its_own_too(own_session: bool) -> None:
    program = (
        "import os; from pathlib import Path; from catalog.priority import give_way; was = os.nice(0);"
        "group = Path('/proc/self/autogroup'); read = lambda other: (group.exists() and group.read_text()) or other;"
        "before = read('0'); give_way(5); print(os.nice(0) - was, before.split()[-1], read('5').split()[-1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, start_new_session=own_session
    )
    nicer, before, after = map(int, done.stdout.split())
    assert nicer == 5
    if own_session:
        assert (before, after) == (0, 5)
