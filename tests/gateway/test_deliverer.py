from __future__ import annotations

import time
from pathlib import Path

import pytest

from catalog.requests import LOGGED, Incoming
from gateway.deliverer import LOOKS, Deliverer


def test_one_is_due_so_long_after_the_first_line(tmp_path: Path) -> None:
    deliverer = Deliverer(tmp_path, 300)
    assert deliverer._due_in() == 300 / LOOKS
    incoming = Incoming(tmp_path, LOGGED)
    incoming.append(b"rows")
    assert deliverer._due_in() == pytest.approx(300, abs=10)
    (path,) = (tmp_path / "requests" / LOGGED).iterdir()
    path.rename(path.with_name(f"{time.time_ns() - 400 * 10**9:020}-1.rows"))
    assert deliverer._due_in() == pytest.approx(-100, abs=10)
    incoming.close()


@pytest.mark.parametrize("name", ["7.taken", "7-ab.json"])
def test_what_was_not_finished_is_due_again(tmp_path: Path, name: str) -> None:
    left = tmp_path / "requests" / LOGGED / name
    left.parent.mkdir(parents=True)
    left.write_bytes(b"")
    assert Deliverer(tmp_path, 300)._due_in() == pytest.approx(300, abs=10)


def test_the_settings_that_are_given_last_are_those_of_the_next(tmp_path: Path) -> None:
    deliverer = Deliverer(tmp_path, 300, b"first\n")
    deliverer.give(b"second\n")
    assert deliverer._child.given == b"second\n"
