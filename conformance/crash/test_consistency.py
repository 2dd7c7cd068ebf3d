"""Whatever many clients see of few keys at once, one after another could have seen it; also when workers are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from conformance.crash.client import Client
from conformance.crash.histories import BUCKET, current, record
from conformance.crash.linear import is_linearizable
from conformance.crash.rounds import children_of
from conformance.server import Server, running

CLIENTS = 6
CALLS = 40  # of each


def test_histories_are_linearizable(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as server:
        Client(server).create_bucket(BUCKET)
        check_histories(server, "steady")


def test_histories_are_linearizable_while_workers_die(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as server:
        Client(server).create_bucket(BUCKET)
        check_histories(server, "killed", lambda: os.kill(children_of(server, "gateway.worker")[0], signal.SIGKILL))


def check_histories(server: Server, seed: str, halfway: Callable[[], None] = lambda: None) -> None:
    before = current(server)
    histories = record(server, CLIENTS, CALLS, seed, halfway)
    for key, history in histories.items():
        assert any(call.kind == "read" and call.told for call in history)
        assert is_linearizable(history, before[key]), key
