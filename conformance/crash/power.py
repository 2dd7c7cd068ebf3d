"""A whole server at work, and the power cut at every moment of it."""

from __future__ import annotations

import os
import random
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from catalog import Catalog
from catalog.database.client import query
from catalog.errors import NoBucket, NoObject
from catalog.records import Bucket, Version
from conformance.crash.client import Client, Refused, Unanswered
from conformance.crash.disk import Disk, Event, Mark
from conformance.crash.folder import audit_folder
from conformance.crash.points import kill_family
from conformance.crash.recorder import VARIABLE, Recorder, recorded
from conformance.crash.rounds import wait_for_sweep
from conformance.server import Server, running
from gateway.blobs import Blobs
from gateway.scrub.reading import checked

BUCKET = "bucket"
CLIENTS, KEYS = 3, 4
SIZES = (1, 300, 5000, 60_000)
LARGE = 200_000
KINDS = ("small", "small", "small", "large", "upload", "delete")
SERVE = [sys.executable, "-m", "conformance.crash.serve", "serve"]
KEYS_AND_SIZES = "SELECT key, size FROM objects ORDER BY key"

Value = bytes | None
Check = Callable[[Path, "Record"], None]


@dataclass
class Record:
    """What each key has for certain, and what else it may have, at one moment."""

    certain: dict[str, Value] = field(default_factory=dict)
    possible: dict[str, Value] = field(default_factory=dict)

    def take(self, mark: Mark) -> None:
        if mark.done:
            self.certain[mark.key] = mark.value
            self.possible.pop(mark.key, None)
        else:
            self.possible[mark.key] = mark.value

    @property
    def keys(self) -> set[str]:
        return {*self.certain, *self.possible} - {BUCKET}

    def holds(self, found: dict[str, bytes]) -> None:
        """AssertionError: something is lost, or half there."""
        assert set(found) <= self.keys, "nobody wrote that"
        for key in self.keys:
            allowed = [self.certain.get(key), *([self.possible[key]] if key in self.possible else [])]
            assert found.get(key) in allowed, f"{key} is lost, or half there"


def work(place: Path, writes: int, seed: int) -> list[Event]:
    """What happened on the disk while clients wrote so often each to a server that was killed, and to its successor."""
    data, path = place / "data", place / "recorded"
    data.mkdir()
    recorder = Recorder(data, path)
    for life in ("killed", "stopped"):
        with running(data, "--workers", "2", env={VARIABLE: f"{data}{os.pathsep}{path}"}, program=SERVE) as server:
            clients = [Worker(server, recorder, writes, f"{seed}/{life}/{number}") for number in range(CLIENTS)]
            if life == "killed":
                clients[0].create_bucket()
            for client in clients:
                client.start()
            if life == "killed":
                while sum(client.done for client in clients) < writes * CLIENTS // 2:
                    time.sleep(0.01)
                kill_family(server.process.pid)
            for client in clients:
                client.join()
    return recorded(data, path)


class Worker(threading.Thread):
    """Writes to keys of its own, until the server is gone."""

    def __init__(self, server: Server, recorder: Recorder, writes: int, name: str) -> None:
        super().__init__()
        self.done = 0
        self._client = Client(server)
        self._recorder = recorder
        self._writes = writes
        self._prefix = name
        self._chance = random.Random(name)

    def create_bucket(self) -> None:
        self._change(BUCKET, b"", lambda: self._client.create_bucket(BUCKET))

    def run(self) -> None:
        try:
            for _ in range(self._writes):
                self._write(f"{self._prefix}/{self._chance.randrange(KEYS)}", self._chance.choice(KINDS))
                self.done += 1
        except Unanswered:
            pass
        finally:
            self._client.close()

    def _write(self, key: str, kind: str) -> None:
        client, content = self._client, self._chance.randbytes(LARGE)
        if kind == "small":
            content = content[: self._chance.choice(SIZES)]
        if kind == "delete":
            self._change(key, None, lambda: client.delete(BUCKET, key))
        elif kind == "upload":
            upload = client.create_upload(BUCKET, key)
            parts = {1: client.put_part(BUCKET, key, upload, 1, content)}
            self._change(key, content, lambda: client.complete(BUCKET, key, upload, parts))
        else:
            self._change(key, content, lambda: client.put(BUCKET, key, content))

    def _change(self, key: str, value: Value, ask: Callable[[], object]) -> None:
        self._recorder.mark(Mark(key, value, done=False))
        ask()
        self._recorder.mark(Mark(key, value, done=True))


def cut(events: list[Event], place: Path, every: int, seed: int, check: Check) -> int:
    """Cut the power before each `every`th event and open what is left; how often. AssertionError: some is lost."""
    chance, disk, record, states = random.Random(seed), Disk(), Record(), 0
    for number, event in enumerate(events):
        if number % every == 0:
            disk.after_power_cut(chance).lay_out(place)
            boot_anew(place)
            try:
                check(place, record)
            except Exception as problem:
                raise AssertionError(f"after {number} of {len(events)} events, seed {seed}: {problem}") from problem
            shutil.rmtree(place)
            states += 1
        disk.take([event])
        if isinstance(event, Mark):
            record.take(event)
    return states


def boot_anew(data: Path) -> None:
    """The key index is of a boot of the machine that is over."""
    claimed = data / "index" / "boot"
    if claimed.exists():
        claimed.write_text("a boot that the power ended")


def open_it(data: Path, record: Record) -> None:
    """In this process, without a server. Raises AssertionError."""
    with opened(data) as (catalog, blobs):
        try:
            bucket = catalog.bucket(BUCKET)
        except NoBucket:
            assert BUCKET not in record.certain, "the bucket is lost"
            return
        found = {key: read(catalog, blobs, bucket, key) for key in record.keys}
        listed = {key: content for key, content in found.items() if content is not None}
        assert catalog.list_objects(bucket).keys == sorted(listed)
    record.holds(listed)
    assert query(data, KEYS_AND_SIZES).rows == [(key, len(listed[key])) for key in sorted(listed)]


def serve_it(data: Path, record: Record) -> None:
    """By a server. Raises AssertionError."""
    with running(data, "--workers", "1", program=SERVE) as server:
        client = Client(server)
        try:
            listed = {each.key: each.size for each in client.list_objects(BUCKET)}
        except Refused:
            assert BUCKET not in record.certain, "the bucket is lost"
            return
        record.holds({key: client.fetch(BUCKET, key) for key in listed})
        assert query(data, KEYS_AND_SIZES).rows == sorted(listed.items())
        wait_for_sweep(data)
        client.close()
    audit_folder(data)


@contextmanager
def opened(data: Path) -> Iterator[tuple[Catalog, Blobs]]:
    blobs, catalog = Blobs(data), Catalog.open(data)
    try:
        yield catalog, blobs
    finally:
        catalog.release()
        blobs.close()


def read(catalog: Catalog, blobs: Blobs, bucket: Bucket, key: str) -> Value:
    try:
        version = catalog.whole(catalog.get(bucket, key))
    except NoObject:
        return None
    return b"".join(bytes_of(catalog, blobs, version))


def bytes_of(catalog: Catalog, blobs: Blobs, version: Version) -> Iterator[bytes]:
    parts = version.parts if isinstance(version.parts, list) else []
    for piece in (version.body, *(part.piece for part in parts)):
        if piece is not None:
            if piece.blob is None:
                yield catalog.read(piece)
            else:
                yield from checked(blobs.path(piece.blob), piece.blob, piece.offset, piece.size)
