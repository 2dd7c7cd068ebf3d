"""One delivery: what the workers noted becomes lines, a file for each bucket, and each file an object.

A file is made whole before any goes out, and its name makes the object's key: what a kill broke off is done again, and
no line is twice.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from typing import IO

import msgspec

from catalog import Catalog
from catalog.errors import NoBucket
from catalog.records import Bucket, Origin
from catalog.requests import FOLDER, LOGGED, frames, take, waiting
from gateway import publishing
from gateway.access.acl import (
    FULL_CONTROL,
    LOG_SERVICE_ID,
    LOGGING_ID,
    PREFERRED,
    Grant,
    acls_on,
    kept_grants,
    private,
)
from gateway.access.asked import Sender
from gateway.access.delivering import may_deliver
from gateway.access_logs.configuration import EVENT_TIME, Configuration, read, unfit
from gateway.access_logs.line import Entry, Log, decode_entries, line_of
from gateway.blobs import Blobs
from gateway.logging import log as warnings
from gateway.operations.ownership import object_ownership

ABOUT, LINES = ".json", ".log"
TAKEN, DONE, DRAFT = ".taken", ".done", ".new"
KEPT_SECONDS = 86_400.0  # that lines wait for a bucket which does not take them
MOST_KEPT = 1 << 30  # bytes of such lines
ORIGIN = Origin(requester=LOGGING_ID)


class About(msgspec.Struct, frozen=True):
    """A file of lines: whose, made when, and of which day where there is one a day (seconds since the epoch)."""

    log: Log
    made: float
    day: float | None = None


class Refused(Exception):
    """The target does not take logs; the text says why."""


class Delivery:
    def __init__(self, catalog: Catalog, blobs: Blobs, data: Path) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._data = data
        self._folder = data / FOLDER / LOGGED

    async def run(self) -> int:
        """How many objects came of it. Raises StorageFull, OSError."""
        self._gather()
        return await self._send()

    def _gather(self) -> None:
        for done in self._folder.glob(f"*{DONE}"):
            shutil.rmtree(done)
        if fresh := [path for path in waiting(self._data, LOGGED) if path.stat().st_size]:
            batch = self._folder / f"{time.time_ns():020}{TAKEN}"
            batch.mkdir(mode=0o700)
            for path in fresh:
                take(path, batch / path.name)
        for batch in sorted(self._folder.glob(f"*{TAKEN}")):
            self._sort(batch)
            done = batch.rename(batch.with_suffix(DONE))
            shutil.rmtree(done)
        for path in self._folder.glob(f"*{LINES}"):
            if not path.with_suffix(ABOUT).exists():
                path.unlink()

    def _sort(self, batch: Path) -> None:
        """All that was taken together: a file of lines for each log, named by it, so that it is the same again."""
        made, files = int(batch.stem) / 1e9, dict[About, IO[str]]()
        with ExitStack() as opened:
            for entry in entries_in(batch):
                about = About(entry.log, made, day_of(entry))
                if about not in files:
                    path = self._folder / f"{name_of(batch, about)}{LINES}"
                    files[about] = opened.enter_context(path.open("w", encoding="utf-8"))
                files[about].write(line_of(entry) + "\n")
        for about in files:
            draft = self._folder / f"{name_of(batch, about)}{DRAFT}"
            draft.write_bytes(msgspec.json.encode(about))
            draft.rename(draft.with_suffix(ABOUT))

    async def _send(self) -> int:
        sent, kept = 0, list[Path]()
        for path in sorted(self._folder.glob(f"*{ABOUT}")):
            about = msgspec.json.decode(path.read_bytes(), type=About)
            try:
                await self._put(path.with_suffix(LINES), about)
            except Refused as why:
                if time.time() - about.made < KEPT_SECONDS:
                    kept.append(path)
                    path.touch()
                    warnings.warning("the access log of %s waits: %s", about.log.bucket, why)
                    continue
                warnings.error("the access log of %s is dropped: %s", about.log.bucket, why)
            else:
                sent += 1
            self._forget(path)
        self._bound(kept)
        return sent

    async def _put(self, lines: Path, about: About) -> None:
        """Raises Refused, StorageFull, OSError."""
        told = read(about.log.configuration)
        key = key_of(told, about, lines.stem)
        target = self._target(told, about, key)
        owner, acl = author_of(target, told)
        try:
            await publishing.put(self._catalog, self._blobs, target, key, lines, ORIGIN, owner, acl)
        except NoBucket:
            raise Refused(f"there is no {told.target_bucket}") from None

    def _target(self, told: Configuration, about: About, key: str) -> Bucket:
        try:
            target = self._catalog.bucket(told.target_bucket)
        except NoBucket:
            raise Refused(f"there is no {told.target_bucket}") from None
        if target.owner != about.log.owner:
            raise Refused(f"{target.name} is another's")
        if (why := unfit(target)) is not None:
            raise Refused(f"{target.name} {why}")
        sender = Sender(about.log.bucket, about.log.owner)
        if not may_deliver(target, key, told.target_prefix, sender, self._catalog):
            raise Refused(f"{target.name} does not let {LOGGING_ID} write {key}")
        return target

    def _forget(self, path: Path) -> None:
        path.unlink()
        path.with_suffix(LINES).unlink()

    def _bound(self, kept: list[Path]) -> None:
        """The oldest go first."""
        left = sum(path.with_suffix(LINES).stat().st_size for path in kept)
        for path in kept:
            if left <= MOST_KEPT:
                return
            left -= path.with_suffix(LINES).stat().st_size
            warnings.error("%s is dropped: too many lines of access logs wait", path.with_suffix(LINES))
            self._forget(path)


def entries_in(batch: Path) -> Iterator[Entry]:
    for path in sorted(batch.iterdir()):
        for frame in frames(path):
            try:
                yield from decode_entries(frame)
            except msgspec.DecodeError as problem:
                warnings.warning("%s has requests that cannot be read: %s", path, problem)


def day_of(entry: Entry) -> float | None:
    return entry.time // 86_400 * 86_400 if read(entry.log.configuration).key_format == EVENT_TIME else None


def name_of(batch: Path, about: About) -> str:
    return f"{batch.stem}-{blake2b(msgspec.json.encode(about), digest_size=8).hexdigest()}"


def key_of(told: Configuration, about: About, name: str) -> str:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_TargetObjectKeyFormat.html"""
    moment = time.gmtime(about.made if about.day is None else about.day)
    unique = blake2b(name.encode(), digest_size=8).hexdigest().upper()
    stamp = f"{time.strftime('%Y-%m-%d-%H-%M-%S', moment)}-{unique}"
    if not told.partitioned:
        return told.target_prefix + stamp
    log = about.log
    return f"{told.target_prefix}{log.owner}/{log.region}/{log.bucket}/{time.strftime('%Y/%m/%d', moment)}/{stamp}"


def author_of(target: Bucket, told: Configuration) -> tuple[str, str | None]:
    """Whose a log object is, and its ACL: where ACLs are off, all is the bucket's owner's."""
    if not acls_on(target):
        return target.owner, None
    if object_ownership(target) == PREFERRED:
        owner, grants = target.owner, private(target.owner)
    else:
        owner, grants = LOG_SERVICE_ID, (*private(LOG_SERVICE_ID), Grant(FULL_CONTROL, target.owner))
    return owner, kept_grants((*grants, *told.target_grants), owner)
