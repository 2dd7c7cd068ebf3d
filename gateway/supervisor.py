"""`ducket serve`: starts the catalog process and the workers, keeps them alive, and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from catalog import Catalog
from catalog.folder import Folder
from gateway.blobs import Blobs
from gateway.listener import is_taken, listener, url
from gateway.logging import log
from gateway.rootkey import root_key
from gateway.settings import Settings, SettingsError, dump

LOCK = "serve.lock"
READY = b"ready"
LONG_LIFE = 10.0  # seconds: who dies sooner is started again more and more slowly
LONGEST_PAUSE = 10.0
SAME_STOP = 0.5  # seconds


class StartFailed(Exception):
    """A process ended before it was ready; what it said of it is on standard error."""


class Supervisor:
    """`announce` is called with each line meant for the person who started the server."""

    def __init__(self, settings: Settings, announce: Callable[[str], None]) -> None:
        self.settings = settings
        self.announce = announce
        self.stopping = asyncio.Event()
        self.asked = 0.0
        self.children: list[Child] = []

    async def run(self) -> None:
        """Raises SettingsError or StartFailed where the server cannot start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        if self.settings.port and is_taken(self.settings.host, self.settings.port):
            raise SettingsError(f"{url(self.settings.host, self.settings.port)} is taken")
        self.settings.data.mkdir(parents=True, exist_ok=True)
        with hold(self.settings.data) as lock, listener(self.settings.host, self.settings.port) as bound:
            settings = self.complete(bound.getsockname()[1])
            describe(lock, url(settings.host, settings.port))
            tidy = not Folder(settings.data).in_use()
            if tidy:
                Blobs(settings.data).clear_tmp()
            began = time.time()
            try:
                await self.start(settings)
                if tidy:
                    threading.Thread(target=sweep, args=(settings.data, began), name="sweep", daemon=True).start()
                await self.stopping.wait()
            finally:
                await self.end()

    def complete(self, port: int) -> Settings:
        """The settings with everything in them that is found out at the start."""
        access_key, secret_key, made = root_key(self.settings)
        if made:
            self.announce(f"root access key: {access_key}")
            self.announce(f"root secret key: {secret_key}")
        return replace(self.settings, port=port, root_access_key=access_key, root_secret_key=secret_key)

    async def start(self, settings: Settings) -> None:
        catalog = Child("catalog process", ["catalog.database.process", str(settings.data)], b"")
        self.children.append(catalog)
        await catalog.start()
        workers = [
            Child(f"worker {number}", ["gateway.worker"], dump(settings))
            for number in range(1, settings.worker_count + 1)
        ]
        self.children += workers
        for failure in await asyncio.gather(*(worker.start() for worker in workers), return_exceptions=True):
            if failure is not None:
                raise failure
        for child in self.children:
            child.keep()
        if not self.stopping.is_set():
            self.announce(url(settings.host, settings.port))

    def stop(self) -> None:
        """The first signal lets requests finish, a later one does not.

        One right behind the first is the same: make, say, passes on what its process group has got already.
        """
        now = time.monotonic()
        if not self.stopping.is_set():
            self.asked = now
        elif now - self.asked > SAME_STOP:
            for worker in self.children[1:]:
                worker.signal(signal.SIGKILL)
        for child in self.children:
            child.let_go()
        self.stopping.set()

    async def end(self) -> None:
        """The workers first: what they acknowledged, the catalog process applies before it goes."""
        catalog, workers = self.children[:1], self.children[1:]
        await asyncio.gather(*(worker.stop() for worker in workers))
        await asyncio.gather(*(each.stop() for each in catalog))


class Child:
    """A process that says `ready` on its standard output, and ends when its standard input does."""

    def __init__(self, name: str, command: list[str], given: bytes) -> None:
        self.name = name
        self.command = [sys.executable, "-m", *command]
        self.given = given
        self.process: asyncio.subprocess.Process | None = None
        self.keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises StartFailed."""
        # A session of its own: the terminal's Ctrl-C is for the supervisor, who stops the others in order.
        self.process = process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(ConnectionError):
            process.stdin.write(self.given)
            await process.stdin.drain()
        line = await process.stdout.readline()
        if line.strip() != READY:
            raise StartFailed(f"{self.name} did not start (exit status {await process.wait()})")

    def keep(self) -> None:
        self.keeper = asyncio.ensure_future(self.revive())

    async def revive(self) -> None:
        """Starts the process again whenever it ends unasked."""
        pause = 0.1
        while self.process is not None:
            began = time.monotonic()
            status = await self.process.wait()
            log.error("%s ended with status %s; starting it again", self.name, status)
            pause = 0.1 if time.monotonic() - began > LONG_LIFE else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause)
            try:
                await self.start()
            except StartFailed as failure:
                log.error("%s", failure)

    def let_go(self) -> None:
        """From now on it may end."""
        if self.keeper is not None:
            self.keeper.cancel()

    async def stop(self) -> None:
        self.let_go()
        self.signal(signal.SIGTERM)
        if self.process is not None:
            await self.process.wait()

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


def sweep(data: Path, before: float) -> None:
    """Removes the bodies that a killed server left without a record of them, beside the work of this one."""
    blobs, catalog = Blobs(data), Catalog.open(data)
    try:
        dead = blobs.sweep(catalog.blob_alive, before)
    finally:
        catalog.release()
        blobs.close()
    if dead:
        log.info("%s bodies that nothing named were removed", len(dead))


@contextlib.contextmanager
def hold(data: Path) -> Iterator[int]:
    """One server a data folder: others would share its port or its files without knowing."""
    lock = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise SettingsError(f"{data}: a server runs on this folder already") from None
    try:
        yield lock
    finally:
        os.ftruncate(lock, 0)
        os.close(lock)


def describe(lock: int, address: str) -> None:
    """Who holds the folder, for `ducket status`."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps({"pid": os.getpid(), "address": address, "started": time.time()}).encode(), 0)


def holder(data: Path) -> dict[str, Any] | None:
    """What the server that runs on the folder says of itself; None if none does."""
    try:
        lock = os.open(data / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return cast(dict[str, Any], json.loads(os.pread(lock, 4096, 0) or b"{}"))
    finally:
        os.close(lock)
    return None
