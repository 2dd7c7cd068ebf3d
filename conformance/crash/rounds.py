"""One life of a server: clients write, it is killed, it is started again, and the record is held against it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from catalog import Catalog
from conformance.crash.audit import audit_server
from conformance.crash.client import Client
from conformance.crash.folder import audit_folder
from conformance.crash.ledger import Ledger
from conformance.crash.points import AT_OPENING, CATALOG, WORKER, Plan, Point, kill_family
from conformance.crash.writers import PLAIN, VERSIONED, Writer
from conformance.server import Server, running

WRITERS = 4
OFTEN, SELDOM = 400, 3000  # writes after which a point is given up


def serving(data: Path, workers: int, plan: Plan | None = None) -> AbstractContextManager[Server]:
    program = [sys.executable, "-m", "conformance.crash.serve", "serve"]
    return running(data, "--workers", str(workers), env=plan.environment() if plan else None, program=program)


@dataclass
class Counts:
    """What was done, for the report."""

    rounds: int = 0
    kills: int = 0
    acknowledged: int = 0
    in_doubt: int = 0
    longest_start: float = 0.0  # seconds
    reached: dict[str, int] = field(default_factory=dict)  # deaths by point

    def __str__(self) -> str:
        points = ", ".join(f"{name} {count}" for name, count in sorted(self.reached.items()))
        return (
            f"{self.rounds} rounds, {self.kills} kills, {self.acknowledged} writes acknowledged, {self.in_doubt} in "
            f"doubt; the longest start took {self.longest_start:.1f} s; lost: 0\nkilled at: {points}"
        )


class Torture:
    """A data folder through many rounds, and the record of it. AssertionError where something is lost."""

    def __init__(self, data: Path, seed: int, counts: Counts | None = None) -> None:
        self.data = data
        self.random = random.Random(seed)
        self.seed = seed
        self.ledgers = [Ledger() for _ in range(WRITERS)]
        self.counts = counts or Counts()
        with serving(data, 1) as server:
            client = Client(server)
            for name in (PLAIN, VERSIONED):
                client.create_bucket(name, versioned=name == VERSIONED)
            client.close()

    def round(self, point: Point | None = None) -> None:
        """Killed at a named point, or at any moment where none is given."""
        self.counts.rounds += 1
        if point is None:
            self.kill_at_random()
        else:
            self.kill_at(point)
        self.lose_something()
        self.check()

    def lose_something(self) -> None:
        """The index is made anew of the database and the log, the database of the log or the index."""
        lost = self.random.choice(["index", "database", "", "", ""])
        if lost == "index":
            shutil.rmtree(self.data / "index", ignore_errors=True)
        elif lost == "database":
            for path in self.data.glob("catalog.duckdb*"):
                path.unlink()

    def kill_at_random(self) -> None:
        """The whole server, or first a worker or the catalog process alone, and then all."""
        with serving(self.data, 2) as server:
            writers = self.start_writers(server)
            victim = self.random.choice([None, WORKER, CATALOG])
            if victim is not None:
                self.wait_for(writers, self.random.randrange(20, 150))
                self.kill(server, victim)
            self.wait_for(writers, self.random.randrange(20, 250))
            time.sleep(self.random.random() / 100)
            if self.random.random() < 0.25:  # while it stops
                server.process.terminate()
                time.sleep(self.random.random() / 10)
            self.kill(server, None)
            self.end(writers)

    def kill_at(self, point: Point) -> None:
        flag = self.data.parent / "alive"
        flag.touch()
        whole = self.random.random() < 0.5
        count = self.random.choice([1, 2, 3, 7, 20] if point.process == WORKER else [1, 2]) if point.often else 1
        plan = Plan(point, count, str(flag), whole)
        try:
            with serving(self.data, 2, plan) as server:
                writers = self.start_writers(server)
                self.wait_for(writers, OFTEN if point.often else SELDOM, flag)
                if not whole or flag.exists():
                    self.wait_for(writers, self.random.randrange(10, 60))
                    self.kill(server, None)
                self.end(writers)
        except RuntimeError:  # it did not start, being killed before
            assert not flag.exists()
        self.note_death(point, flag)

    def kill_while_opening(self, point: Point) -> None:
        """The index is gone, and who makes it anew is killed."""
        self.counts.rounds += 1
        assert point in AT_OPENING
        shutil.rmtree(self.data / "index", ignore_errors=True)
        flag = self.data.parent / "alive"
        flag.touch()
        plan = Plan(point, 1, str(flag), whole=True)
        try:
            with serving(self.data, 1, plan):
                pass
        except RuntimeError:
            self.note_death(point, flag)
        assert not flag.exists()
        self.check()

    def check(self) -> None:
        began = time.monotonic()
        with serving(self.data, 1) as server:
            self.counts.longest_start = max(self.counts.longest_start, time.monotonic() - began)
            self.count_writes()
            audit_server(server, self.ledgers, (PLAIN, VERSIONED))
            wait_for_sweep(self.data)
        audit_folder(self.data)

    def count_writes(self) -> None:
        for ledger in self.ledgers:
            self.counts.in_doubt += ledger.in_doubt
            self.counts.acknowledged += ledger.acknowledged
            ledger.acknowledged = 0

    def start_writers(self, server: Server) -> list[Writer]:
        name = f"{self.seed}-{self.counts.rounds}"
        writers = [Writer(server, number, ledger, name) for number, ledger in enumerate(self.ledgers)]
        for writer in writers:
            writer.start()
        return writers

    def wait_for(self, writers: list[Writer], count: int, flag: Path | None = None) -> None:
        """Until so many more writes were acknowledged, or the flag or the server is gone."""
        goal = sum(ledger.acknowledged for ledger in self.ledgers) + count
        while sum(ledger.acknowledged for ledger in self.ledgers) < goal:
            if not any(writer.is_alive() for writer in writers) or (flag is not None and not flag.exists()):
                return
            time.sleep(0.001)

    def kill(self, server: Server, victim: str | None) -> None:
        """One process that runs the module, or all of them."""
        self.counts.kills += 1
        if victim is None:
            if server.process.poll() is None:
                kill_family(server.process.pid)
            server.process.wait()
            return
        os.kill(self.random.choice(children_of(server, victim)), signal.SIGKILL)

    def end(self, writers: list[Writer]) -> None:
        for writer in writers:
            writer.stopped = True
        for writer in writers:
            writer.join()
            if writer.error is not None:
                raise writer.error
            assert not writer.broken, writer.broken

    def note_death(self, point: Point, flag: Path) -> None:
        if flag.exists():
            flag.unlink()
            return
        self.counts.kills += 1
        self.counts.reached[point.name] = self.counts.reached.get(point.name, 0) + 1


def children_of(server: Server, module: str) -> list[int]:
    """The processes of a server that run this module."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if module in Path(f"/proc/{pid}/cmdline").read_text()]


def wait_for_sweep(data: Path) -> None:
    """It works beside the requests: wait until every body is one that the index names."""
    catalog = Catalog.open(data)
    try:
        while not all(catalog.blob_alive(bytes.fromhex(path.name)) for path in (data / "blobs").glob("*/*")):
            time.sleep(0.01)
    finally:
        catalog.release()
