"""`ducket serve`: starts the catalog process and the workers, keeps them alive, renews them, stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from catalog import Catalog
from catalog.database import remote
from catalog.database.limits import Limits
from catalog.database.limits import dump as dump_limits
from catalog.errors import CatalogUnusable, QueryFailed, QueryStopped
from catalog.folder import Folder
from gateway.blobs import Blobs
from gateway.blobs.errors import NoKey
from gateway.child import Child, StartFailed
from gateway.deliverer import Deliverer
from gateway.encryption import keyring
from gateway.expirer import Expirer
from gateway.listener import is_taken, listener, url
from gateway.logging import log
from gateway.notifier import Notifier
from gateway.rootkey import root_key
from gateway.scrubber import Scrubber
from gateway.settings import Settings, SettingsError, dump
from gateway.tls import check_certificate, scheme

LOCK = "serve.lock"
SAME_STOP = 0.5  # seconds
SMALLEST_STEP = 0.1  # seconds that a clock is set back by; no body is recorded so soon after the start
FIXED = (
    "data",
    "host",
    "port",
    "access_log_days",
    "access_log_delivery",
    "compaction_rate",
    "lifecycle_day",
    "lifecycle_rate",
    "scrub_rate",
    "scrub_days",
    "scrub_repair",
    "sql_seconds",
    "sql_rows",
    "sql_memory",
    "sql_threads",
)


class Supervisor:
    """`read` gives the settings, again at each SIGHUP; `announce` gets each line meant for who started the server."""

    def __init__(self, read: Callable[[], Settings], announce: Callable[[str], None]) -> None:
        self.read = read
        self.given = self.settings = read()
        self.announce = announce
        self.stopping = asyncio.Event()
        self.renewal = asyncio.Event()
        self.asked = 0.0
        self.sockets: list[socket.socket] = []
        self.catalog = Child("catalog process", catalog_process(self.settings), b"")
        given = self.settings
        self.scrubber = Scrubber(given.data, given.scrub_rate, given.scrub_days, given.scrub_repair, dump(given))
        self.expirer = Expirer(given.data, given.lifecycle_rate, given.lifecycle_day)
        self.deliverer = Deliverer(given.data, given.access_log_delivery, dump(given))
        self.notifier = Notifier(given)
        self.workers: list[Child] = []
        self.others: list[Child] = []  # workers that are coming or going

    async def run(self) -> None:
        """Raises SettingsError or StartFailed where the server cannot start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.renewal.set)
        if self.settings.port and is_taken(self.settings.host, self.settings.port):
            raise SettingsError(f"{self.address} is taken")
        check_certificate(self.settings)
        check_keys(self.settings)
        Folder(self.settings.data).make()
        with hold(self.settings.data) as lock:
            renewing: asyncio.Task[None] | None = None
            began, ahead = time.time(), time.time() - time.monotonic()
            try:
                self.sockets.append(listener(self.settings.host, self.settings.port))
                self.settings = self.complete(self.settings)
                describe(lock, self.address)
                tidy = not Folder(self.settings.data).in_use()
                if tidy:
                    Blobs(self.settings.data).clear_tmp()
                await self.start()
                if tidy:
                    threading.Thread(
                        target=sweep, args=(self.settings.data, began, ahead), name="sweep", daemon=True
                    ).start()
                self.scrubber.start()
                self.expirer.start()
                self.deliverer.start()
                await self.notifier.start()
                renewing = asyncio.ensure_future(self.keep_renewing())
                await self.stopping.wait()
            finally:
                if renewing is not None:
                    renewing.cancel()
                await self.end()

    @property
    def address(self) -> str:
        return url(self.settings.host, self.settings.port, scheme(self.settings))

    def complete(self, settings: Settings) -> Settings:
        """The settings with everything in them that is found out at the start."""
        access_key, secret_key, made = root_key(settings)
        if made:
            self.announce(f"root access key: {access_key}")
            self.announce(f"root secret key: {secret_key}")
        port = self.sockets[0].getsockname()[1]
        return replace(settings, port=port, root_access_key=access_key, root_secret_key=secret_key)

    async def start(self) -> None:
        """The workers load their code meanwhile; what is wrong with the folder only the catalog process says."""
        self.workers = self.crew(self.settings)
        for child in (self.catalog, *self.workers):
            await child.prepare()
        await self.catalog.start()
        for failure in await asyncio.gather(*(worker.start() for worker in self.workers), return_exceptions=True):
            if failure is not None:
                raise failure
        for child in (self.catalog, *self.workers):
            child.keep()
        if not self.stopping.is_set():
            self.announce(self.address)

    def crew(self, settings: Settings) -> list[Child]:
        """As many workers as the settings want, with a socket each.

        The sockets are ours, and stay open as long as the server runs: a connection that waits in one is not lost with
        a worker that ends, but taken by the one that comes after it. With fewer workers than before some have two.
        """
        count = settings.worker_count
        while len(self.sockets) < count:
            self.sockets.append(listener(settings.host, settings.port))
        return [
            Child(f"worker {number + 1}", ["gateway.worker"], dump(settings), self.sockets[number::count])
            for number in range(count)
        ]

    async def keep_renewing(self) -> None:
        while True:
            await self.renewal.wait()
            self.renewal.clear()
            try:
                await self.renew(self.reread())
            except (SettingsError, StartFailed, OSError) as failure:
                log.error("the workers go on as they are: %s", failure)

    def reread(self) -> Settings:
        """The settings as they are now, as far as they can be had without a new start."""
        read = self.read()
        if scheme(read) != scheme(self.given):
            raise SettingsError("tls_cert: only a new start of the server turns TLS on or off")
        check_certificate(read)
        check_keys(read)
        changed = [name for name in FIXED if getattr(read, name) != getattr(self.given, name)]
        if changed:
            log.warning("%s: only a new start of the server changes this", ", ".join(changed))
        return self.complete(replace(read, **{name: getattr(self.given, name) for name in FIXED}))

    async def renew(self, settings: Settings) -> None:
        """New workers first, one by one, so that the old ones have a core to serve on; then the old ones retire."""
        had, coming = len(self.sockets), self.crew(settings)
        self.others += coming
        try:
            for worker in coming:
                await worker.start()
        except (StartFailed, OSError):
            await asyncio.gather(*(worker.stop() for worker in coming))
            self.others = [child for child in self.others if child not in coming]
            for needless in self.sockets[had:]:
                needless.close()
            del self.sockets[had:]
            raise
        going, self.workers, self.settings = self.workers, coming, settings
        self.scrubber.give(dump(settings))
        self.deliverer.give(dump(settings))
        self.others = [child for child in self.others if child not in coming] + going
        for worker in coming:
            worker.keep()
        for worker in going:
            worker.retire(self.others.remove)
        await self.notifier.renew(settings)
        log.info("%s new workers", len(coming))

    def stop(self) -> None:
        """The first signal lets requests finish, a later one does not.

        One right behind the first is the same: make, say, passes on what its process group has got already.
        """
        now = time.monotonic()
        if not self.stopping.is_set():
            self.asked = now
        elif now - self.asked > SAME_STOP:
            for worker in (*self.workers, *self.others):
                worker.signal(signal.SIGKILL)
        for child in (self.catalog, *self.workers, *self.others):
            child.let_go()
        self.stopping.set()

    async def end(self) -> None:
        """The workers first: what they acknowledged, the catalog process applies before it goes."""
        for each in self.sockets:
            each.close()
        beside = (self.scrubber, self.expirer, self.deliverer, self.notifier)
        await asyncio.gather(*(each.stop() for each in beside))
        await asyncio.gather(*(worker.stop() for worker in (*self.workers, *self.others)))
        await self.catalog.stop()


def check_keys(settings: Settings) -> None:
    """Raises SettingsError for what is no key. One that is lost keeps nobody from what it did not encrypt."""
    for lost in keyring(settings).missing():
        log.error("%s", NoKey(lost))


def catalog_process(settings: Settings) -> list[str]:
    limits = Limits(settings.sql_seconds, settings.sql_rows, settings.sql_memory, settings.sql_threads)
    more = (dump_limits(limits), str(settings.compaction_rate), str(settings.access_log_days))
    return ["catalog.database.process", str(settings.data), *more]


def sweep(data: Path, before: float, ahead: float) -> None:
    """Removes the bodies that a killed server left without a record of them, beside the work of this one.

    Those that neither the key index nor the database names, as either may be wrong. `ahead` is how far the clock was
    ahead of the one that nobody sets, at the time `before`.
    """
    blobs, catalog = Blobs(data), Catalog.open(data)
    try:
        dead = blobs.sweep(
            catalog.blob_alive,
            lambda suspects: named(data, suspects),
            before,
            lambda: time.time() - time.monotonic() < ahead - SMALLEST_STEP,
        )
    except (CatalogUnusable, QueryFailed, QueryStopped) as fact:
        log.warning("bodies that the key index does not name stay, for the database cannot be asked: %s", fact.why)
        return
    finally:
        catalog.release()
        blobs.close()
    if dead:
        log.info("%s bodies that nothing named were removed", len(dead))


def named(data: Path, blobs: list[bytes]) -> list[bytes]:
    """By the database; that the index does not name them is told."""
    found = asyncio.run(remote.named(data, blobs))
    if found:
        log.error(
            "the key index does not name %s bodies that the database names, %s among them: they stay. Stop the server, "
            "delete %s, which the next start makes anew, and let `ducket scrub` look at the rest",
            len(found),
            found[0].hex(),
            data / "index",
        )
    return found


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
