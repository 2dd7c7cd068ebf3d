"""A server under load whose processes come, go and die, and all commands beside it: none may take that for damage."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from conformance.crash.points import CATALOG, WORKER
from conformance.crash.rounds import Torture, children_of, serving
from conformance.server import Server, environment

# What the log may tell of: whom we killed, or told to retire while it was being revived.
EXPECTED = ("new workers", "ended with status -9", "did not start (exit status -9)", "ended with status -1,")
COMMANDS = (
    "status",
    "user create somebody",
    "doctor",
    "scrub",
    "user delete somebody",
    "backup {backup}",
    "catalog usage",
    "db checkpoint",
)
# What a command may say where we killed it, or each that came in its place.
GONE = ("the catalog process went away", "the catalog process does not answer")


@dataclass
class Beside:
    """What ran beside the load. `wrong` is what it should not have said."""

    torture: Torture
    commands: int = 0
    renewals: int = 0
    kills: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        did = f"{self.commands} commands, {self.renewals} rolling restarts asked for, {self.kills} kills"
        return f"{did}; taken for damage: 0"

    def go_on(self, killing: bool, commands: Sequence[str] = COMMANDS) -> None:
        """Until each command has run. AssertionError where something is lost, or was taken for lost."""
        data = self.torture.data
        self.torture.counts.rounds += 1
        with serving(data, 2) as server:
            writers = self.torture.start_writers(server)
            done = threading.Event()
            beside = [
                threading.Thread(target=self._repeat, args=(done, work, server))
                for work in (self._renew, *([self._kill] if killing else []))
            ]
            for thread in beside:
                thread.start()
            try:
                for command in commands:
                    self._run(command.format(backup=data.parent / "backup").split(), killing)
            finally:
                done.set()
                for thread in beside:
                    thread.join()
                self.torture.end(writers)
        self._read_log(Path(f"{data}.log"))
        assert not self.wrong, self.wrong
        self.torture.check()

    def _run(self, command: list[str], killing: bool) -> None:
        program = [sys.executable, "-m", "conformance.crash.child", "gateway.cli", *command]
        given = [*program, "--data", str(self.torture.data)]
        done = subprocess.run(given, capture_output=True, text=True, env=environment())
        self.commands += 1
        said = done.stdout + done.stderr
        if done.returncode and not (killing and any(words in said for words in GONE)):
            self.wrong.append(f"{' '.join(command)} ended with status {done.returncode}: {said}")

    def _repeat(self, done: threading.Event, work: Callable[[Server], None], server: Server) -> None:
        while not done.wait(random.random()):
            work(server)

    def _renew(self, server: Server) -> None:
        server.process.send_signal(signal.SIGHUP)
        self.renewals += 1

    def _kill(self, server: Server) -> None:
        victim = random.choice([WORKER, WORKER, CATALOG])
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended by itself
            for process in children_of(server, victim)[:1]:
                os.kill(process, signal.SIGKILL)
                self.kills += 1

    def _read_log(self, path: Path) -> None:
        for line in path.read_text().splitlines():
            told = json.loads(line)["message"] if line.startswith("{") else line
            if not any(words in told for words in EXPECTED):
                self.wrong.append(line)
