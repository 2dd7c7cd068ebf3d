"""One process of a server, as its supervisor sees it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence

from gateway.logging import log

READY = b"ready"
LONG_LIFE = 10.0  # seconds: who dies sooner is started again more and more slowly
LONGEST_PAUSE = 10.0


class StartFailed(Exception):
    """A process ended before it was ready; what it said of it is on standard error."""


class Child:
    """A process that says `ready` on its standard output, and ends when its standard input does.

    `sockets` are open in it under the numbers they have here, which are the last of its arguments.
    """

    def __init__(self, name: str, command: list[str], given: bytes, sockets: Sequence[socket.socket] = ()) -> None:
        self.name = name
        self.numbers = tuple(each.fileno() for each in sockets)
        self.command = [sys.executable, "-m", *command, *map(str, self.numbers)]
        self.given = given
        self.process: asyncio.subprocess.Process | None = None
        self.keeper: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Make the process: it loads its code, and waits for what it is given."""
        # A group of its own: the terminal's Ctrl-C is for the supervisor, who stops the others in order. The session is
        # one, for the kernel may share cores out among sessions before it looks at who is nice.
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            process_group=0,
            pass_fds=self.numbers,
        )

    async def start(self) -> None:
        """Make the process, if it was not prepared. Raises StartFailed."""
        if self.process is None or self.process.returncode is not None:
            await self.prepare()
        process = self.process
        assert process is not None
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(ConnectionError):
            process.stdin.write(self.given)
            await process.stdin.drain()
        line = await process.stdout.readline()
        if line.strip() != READY:
            raise StartFailed(f"{self.name} did not start (exit status {await process.wait()})")

    def keep(self) -> None:
        """From now on it is started again whenever it ends."""
        self.keeper = asyncio.ensure_future(self.revive())

    async def revive(self) -> None:
        pause = 0.1
        while self.process is not None:
            began = time.monotonic()
            status = await self.process.wait()
            log.error("%s ended with status %s; starting it again", self.name, status)
            pause = 0.1 if time.monotonic() - began > LONG_LIFE else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause)
            try:
                await self.start()
            except (StartFailed, OSError) as failure:
                log.error("%s", failure)

    def let_go(self) -> None:
        """From now on it may end."""
        if self.keeper is not None:
            self.keeper.cancel()

    def retire(self, gone: Callable[[Child], None]) -> None:
        """Lets it finish what it has, however long that takes, and then end; `gone` is called when it has."""
        self.let_go()
        self.signal(signal.SIGHUP)
        self.keeper = asyncio.ensure_future(self.see_off(gone))

    async def see_off(self, gone: Callable[[Child], None]) -> None:
        if self.process is not None and await self.process.wait():
            log.error("%s ended with status %s, its successor being there", self.name, self.process.returncode)
        gone(self)

    async def stop(self) -> None:
        self.let_go()
        self.signal(signal.SIGTERM)
        if self.process is not None:
            await self.process.wait()

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


def wait_for_end() -> None:
    """In a thread of the process itself: when its standard input ends, it is told so by SIGTERM."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
