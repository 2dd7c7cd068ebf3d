from __future__ import annotations

import threading
from pathlib import Path

import pytest

from catalog.database.ownership import DatabaseBusy, owning


def test_one_at_a_time(tmp_path: Path) -> None:
    with owning(tmp_path), pytest.raises(DatabaseBusy), owning(tmp_path):
        pass
    with owning(tmp_path):
        pass


def test_who_is_patient_gets_it_when_it_is_free(tmp_path: Path) -> None:
    mine = owning(tmp_path)
    mine.__enter__()
    timer = threading.Timer(0.1, mine.__exit__, (None, None, None))
    timer.start()
    with owning(tmp_path, 60.0):
        timer.join()
