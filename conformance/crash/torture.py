"""The long form: `python -m conformance.crash.torture LENGTH` (`make torture LENGTH=...`), which tells its counts."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from conformance.crash.beside import Beside
from conformance.crash.client import Client
from conformance.crash.histories import BUCKET, current, record
from conformance.crash.linear import is_linearizable
from conformance.crash.points import AT_OPENING, POINTS
from conformance.crash.power import cut, open_it, serve_it, work
from conformance.crash.rounds import Counts, Torture, children_of
from conformance.server import Server, running

FOLDER = 20  # rounds that one data folder goes through
CLIENTS, CALLS = 8, 120
WRITES = 40  # of each client until the power is cut
OPENED, SERVED = 5, 100  # events from one disk that is opened, or that a server is started on, to the next


def main() -> None:
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("length", type=int, help="how often each thing is done")
    parser.add_argument("--only", choices=KINDS, help="one kind alone")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # that an index was made anew is what is wanted here
    for kind in [given.only] if given.only else KINDS:
        began = time.monotonic()
        print(f"{kind}: {KINDS[kind](given.length, given.seed)} ({time.monotonic() - began:.0f} s)", flush=True)


def killed(length: int, seed: int) -> str:
    """Every named point, and as many rounds again at random moments."""
    rounds = [point for _ in range(length) for each in POINTS for point in (each, None)]
    rounds += [point for _ in range(length) for point in AT_OPENING]
    counts = Counts()
    for first in range(0, len(rounds), FOLDER):
        with tempfile.TemporaryDirectory() as place:
            torture = Torture(Path(place) / "data", seed + first, counts)
            for point in rounds[first : first + FOLDER]:
                if point in AT_OPENING:
                    torture.kill_while_opening(point)
                else:
                    torture.round(point)
    return str(counts)


def histories(length: int, seed: int) -> str:
    """In turns with all workers alive, and with one killed in the middle."""
    calls = checked = 0
    with tempfile.TemporaryDirectory() as place, running(Path(place) / "data", "--workers", "2") as server:
        Client(server).create_bucket(BUCKET)
        for turn in range(length):
            before = current(server)
            halfway = partial(kill_a_worker if turn % 2 else nothing, server)
            found = record(server, CLIENTS, CALLS, f"{seed}/{turn}", halfway)
            for key, history in found.items():
                assert is_linearizable(history, before[key]), (turn, key)
                calls, checked = calls + len(history), checked + 1
    return f"{checked} histories of {calls} calls by {CLIENTS} clients; not linearizable: 0"


def nothing(server: Server) -> None:
    pass


def kill_a_worker(server: Server) -> None:
    os.kill(children_of(server, "gateway.worker")[0], signal.SIGKILL)


def power(length: int, seed: int) -> str:
    """Each time another load, and the power cut before every few things that happen to the disk."""
    opened = served = 0
    for turn in range(length):
        with tempfile.TemporaryDirectory() as place:
            events = work(Path(place), WRITES, seed + turn)
            opened += cut(events, Path(place) / "state", OPENED, seed + turn, open_it)
            served += cut(events, Path(place) / "state", SERVED, seed + turn, serve_it)
    return f"{opened} states that a power cut can leave were opened, {served} by a server; lost: 0"


def beside(length: int, seed: int) -> str:
    """All commands beside a server under load, in turns with processes that only come and go, and that die too."""
    with tempfile.TemporaryDirectory() as place:
        found = Beside(Torture(Path(place) / "data", seed))
        for turn in range(length):
            found.go_on(killing=bool(turn % 2))
        return str(found)


KINDS: dict[str, Callable[[int, int], str]] = {
    "killed": killed,
    "power": power,
    "histories": histories,
    "beside": beside,
}

if __name__ == "__main__":
    main()
