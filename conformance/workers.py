"""The worker processes of a server, as the machine shows them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from conformance.server import Server

ESTABLISHED = "01"


def workers(server: Server) -> set[int]:
    """Those that run, coming and going ones too."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status, command = (process / "stat").read_text(), (process / "cmdline").read_text()
        except OSError:
            continue
        state, parent = status.rpartition(") ")[2].split()[:2]
        if int(parent) == server.process.pid and "gateway.worker" in command and state != "Z":
            found.add(int(process.name))
    return found


def serving(server: Server) -> set[int]:
    """The workers that have a connection open."""
    ours = connections(server)
    return {worker for worker in workers(server) if ours & sockets(worker)}


def connections(server: Server) -> set[str]:
    """The inodes of the server's ends of connections."""
    local = f":{server.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[1].endswith(local) and row[3] == ESTABLISHED}


def sockets(process: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{process}/fd").glob("*"):
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:"):
            found.add(target[len("socket:[") : -1])
    return found


def until(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.02)
