"""Says in plain words what is wrong with the installation or a data folder, and what to do. Changes nothing."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Literal

from catalog.errors import CatalogUnusable, QueryFailed
from catalog.folder import Folder
from gateway.blobs import Keyring
from gateway.blobs.errors import NoKey
from gateway.blobs.keys import FILE as KEYS
from gateway.blobs.keys import BadKey
from gateway.health import LEAST_ROOM, answered
from gateway.rootkey import FILE as ROOT_KEY
from gateway.scrub.report import condition
from gateway.supervisor import holder

FILES = 4096
SLOW_SYNC = 0.02  # seconds
SYNCS = 20
REVIVAL, PAUSE = 10.0, 0.2  # seconds
AHEAD = 60.0  # seconds that a file may seem to be from the future
LIBRARIES = ("duckdb", "lmdb", "uvicorn", "botocore")


@dataclass(frozen=True)
class Word:
    """`level` is ok, note (nothing breaks by it) or wrong; `says` is what was found and what to do."""

    level: Literal["ok", "note", "wrong"]
    about: str
    says: str


def examine(data: Path, keys: Keyring | None = None) -> Iterator[Word]:
    """`keys` are those that the settings give, else those in the folder."""
    yield Word("ok", "versions", ", ".join(f"{name} {version(name)}" for name in LIBRARIES))
    yield _files()
    if not data.is_dir():
        yield Word("wrong", "data folder", f"there is no {data}: name it with --data; `ducket serve` makes a new one")
        return
    yield _room(data)
    yield _sync(data)
    yield _clock(data)
    yield from _access(data)
    yield from _encryption(data, keys)
    yield from _bodies(data)
    server = holder(data)
    if server is not None:
        yield Word("ok", "server", f"runs as process {server.get('pid')} at {server.get('address')}")
        yield _served(data)
    elif not (data / "log").is_dir():
        yield Word("note", "catalog", f"there is none in {data} yet: `ducket serve` makes one")
    else:
        yield Word("ok", "server", "is not running")
        yield from _alone(data)


def _files() -> Word:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < FILES:
        why = f"a process may open {most} files only, and a worker takes a quarter of that in connections: "
        return Word("note", "open files", why + "raise it (ulimit -Hn, LimitNOFILE= of systemd) to 65536")
    return Word("ok", "open files", f"up to {most} for a process")


def _room(data: Path) -> Word:
    disk = shutil.disk_usage(data)
    said = f"{disk.free >> 20:,} MiB free of {disk.total >> 20:,}"
    if disk.free < LEAST_ROOM:
        return Word("wrong", "disk", f"{said}: writes are refused soon; make room or move the data folder")
    if disk.free < disk.total // 20:
        return Word("note", "disk", f"{said}: less than a twentieth; make room")
    return Word("ok", "disk", said)


def _sync(data: Path) -> Word:
    """By a file without a name, which is gone when it is closed."""
    try:
        file = os.open(data, os.O_WRONLY | os.O_TMPFILE, 0o600)
    except OSError as error:
        return Word("note", "sync", f"not measured: {error.strerror}")
    try:
        took = []
        for block in range(SYNCS):
            os.pwrite(file, bytes(4096), block * 4096)
            began = time.perf_counter()
            os.fdatasync(file)
            took.append(time.perf_counter() - began)
    finally:
        os.close(file)
    said = f"{median(took) * 1000:.2f} ms to sync 4 KiB"
    if median(took) > SLOW_SYNC:
        return Word("note", "sync", f"{said}: each write waits for that; a disk with a protected cache is faster")
    return Word("ok", "sync", said)


def _clock(data: Path) -> Word:
    """A clock that went back makes times of objects wrong and lets signatures be refused."""
    newest = 0.0
    for path in (data / "log").glob("*.log"):
        with suppress(FileNotFoundError):  # the server dropped it
            newest = max(newest, path.stat().st_mtime)
    if newest > time.time() + AHEAD:
        return Word("wrong", "clock", f"the log was written {newest - time.time():.0f} s in the future: set the clock")
    return Word("ok", "clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


def _access(data: Path) -> Iterator[Word]:
    folder, fine = Folder(data), True
    places = [data, folder.log, folder.index, folder.blobs, folder.tmp, folder.database, data / ROOT_KEY, data / KEYS]
    for path in places:
        with suppress(FileNotFoundError):
            found = path.stat()
            if not os.access(path, os.R_OK | os.W_OK):
                fine = False
                yield Word("wrong", "permissions", f"{path} cannot be read and written by this user: chown or chmod it")
            if found.st_uid != data.stat().st_uid:
                fine = False
                yield Word("wrong", "owner", f"{path} is not owned by who owns {data}: chown -R the data folder")
            if path in (folder.database, data / ROOT_KEY, data / KEYS) and stat.S_IMODE(found.st_mode) & 0o077:
                fine = False
                yield Word("wrong", "permissions", f"{path} holds secrets and others may open it: chmod 600 {path}")
    if fine:
        yield Word("ok", "permissions", "as they should be")


def _encryption(data: Path, keys: Keyring | None) -> Iterator[Word]:
    try:
        held = keys or Keyring(data)
    except BadKey as problem:
        yield Word("wrong", "encryption", str(problem))
        return
    for lost in held.missing():
        what = "what it encrypted cannot be read, nothing new be encrypted without any: find it in a backup"
        yield Word("wrong", "encryption", f"{NoKey(lost)}; {what}")
    if not held.missing() and (count := len(list(held))):
        yield Word("ok", "encryption", f"{count} keys, and none is missing")


def _bodies(data: Path) -> Iterator[Word]:
    """As the last scrub and those who read them since found them: they are not read here."""
    found = condition(data)
    report = found.scrubbed
    for each in found.named:
        yield Word("wrong", "body", each)
    if found.degraded is not None:
        what = "`ducket catalog validations --result failed` names what a scrub found, `ducket scrub --repair` puts "
        more = "right what it can, with `--from BACKUP` from a backup"
        yield Word("wrong", "bodies", f"{found.degraded}: {what}{more}")
    elif report is not None and report.finished:
        yield Word("ok", "bodies", "nothing is wrong with them, by the last scrub")


def _served(data: Path) -> Word:
    from catalog.database.client import status

    try:
        _wait_for_answer(data)
    except CatalogUnusable as fact:
        what = "see what the server logged; a catalog process that stands still may be killed, for another comes"
        return Word("wrong", "catalog", f"{fact.why}: {what}")
    try:
        found = status(data)
    except (CatalogUnusable, QueryFailed) as fact:
        return Word("wrong", "catalog", fact.why)
    if found.problem is not None:
        return Word("wrong", "catalog", f"the database cannot be brought up to date: {found.problem}")
    return Word("ok", "catalog", f"mutation {found.end.seq}, of which the database has {found.applied.seq}")


def _wait_for_answer(data: Path) -> None:
    """Raises CatalogUnusable where there is none in the time in which a catalog process that ended is there again."""
    deadline = time.monotonic() + REVIVAL
    while True:
        try:
            asyncio.run(answered(data))
            return
        except CatalogUnusable:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE)


def _alone(data: Path) -> list[Word]:
    """What others change meanwhile would look like damage."""
    folder = Folder(data)
    found = [] if folder.in_use() else list(_at_rest(data))
    if folder.in_use():
        return [Word("note", "catalog", "a server or a command begins to work with it: look again in a moment")]
    return found


def _at_rest(data: Path) -> Iterator[Word]:
    from catalog.database.inspection import problems

    found = [Word("wrong", "catalog", problem) for problem in problems(Folder(data))]
    yield from found or [
        Word("ok", "catalog", "log, key index and database are sound at their ends, and fit each other")
    ]
    left = sum(1 for _ in (data / "tmp").glob("*"))
    if left:
        yield Word("note", "tmp", f"{left} files that a killed server left: the next start removes them")
