"""What is measured: an S3 endpoint with a bucket of its own, or a bare app that gets the same requests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Protocol

from bench import batches, cpu
from bench.batches import Tree
from bench.load import Batch, LoadFailed, Measured, drive
from bench.rows import Row
from bench.sign import Signer

WARM_SECONDS = 0.3
FIRST_BATCH = {1024 * 1024: 64, 64 * 1024 * 1024: 4}
LARGE_KEPT = {1024 * 1024: 32, 64 * 1024 * 1024: 4}
USUAL_CONNECTIONS = 16
CHUNK = 2000


class Target(Protocol):
    name: str

    def measure(self, row: Row, seconds: float) -> Measured: ...


@dataclass(frozen=True)
class Endpoint:
    name: str
    host: str
    port: int
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    process: int | None = None  # of a server on this machine, whose processor time is to be told

    @property
    def signer(self) -> Signer:
        return Signer(self.access_key, self.secret_key, f"{self.host}:{self.port}", self.region)


class S3Target:
    """Fills its bucket once for all rows; what a row needs or leaves besides is no part of its time."""

    def __init__(self, endpoint: Endpoint, bucket: str, tree: Tree | None = None) -> None:
        self.name = endpoint.name
        self.address = (endpoint.host, endpoint.port)
        self.signer = endpoint.signer
        self.process = endpoint.process
        self.bucket = bucket
        self.tree = tree or Tree()
        self.rounds = count()
        self.rates: dict[str, float] = {}
        self.left: set[str] = set()

    def prepare(self, rows: Sequence[Row]) -> None:
        """Makes the bucket and puts into it what the rows read."""
        self.create()
        if any(row.work in ("GET", "HEAD", "LIST-1000", "LIST-FOLDER") and not row.large for row in rows):
            self._put(self.tree.keys(), self.tree.size)
            self.check()
        for size in sorted({row.size for row in rows if row.work == "GET" and row.large}):
            self._put(_large_keys(size), size)
        self._settle()

    def create(self) -> None:
        self.ask("PUT", f"/{self.bucket}")

    def check(self) -> None:
        """One answer of each kind byte for byte, for the load itself looks at lengths only."""
        number = self.tree.count // 2
        key = self.tree.key(number)
        got = self.ask("GET", f"/{self.bucket}/{key}")
        if got != batches.body_of(key, number % CHUNK, self.tree.size):
            raise LoadFailed(f"{self.name} answers GET {key} with another body than was put")
        page = {"list-type": "2", "max-keys": f"{self.tree.page}", "prefix": "tree/"}
        folder = {"list-type": "2", "prefix": key.rpartition("/")[0] + "/", "delimiter": "/"}
        for query, wanted in ((page, self.tree.page), (folder, batches.FOLDER)):
            listed = self.ask("GET", f"/{self.bucket}", query).count(b"<Key>")
            if listed != wanted:
                raise LoadFailed(f"{self.name} lists {listed} keys for {query}, not {wanted}")

    def measure(self, row: Row, seconds: float) -> Measured:
        """One round of a row; before the first a short one, to warm up and to learn how many to sign."""
        if row.name not in self.rates:
            self.rates[row.name] = self._round(row, WARM_SECONDS, FIRST_BATCH.get(row.size, 1500)).rate
        return self._round(row, seconds, int(self.rates[row.name] * seconds * 1.5))

    def empty(self) -> None:
        """Takes away all that was put, and the bucket."""
        self._delete(sorted(self.left))
        self.ask("DELETE", f"/{self.bucket}", statuses=(204,))

    def _round(self, row: Row, seconds: float, enough: int) -> Measured:
        enough = max(enough, row.connections * 2)
        if row.work.startswith("LIST") or row.work in ("GET", "HEAD"):
            return self._drive(reading(row, self.signer, self.bucket, self.tree), row, seconds)
        keys = [f"{row.work}/{next(self.rounds):04d}/{number:06d}" for number in range(enough)]
        if row.work == "DELETE":
            self._put(keys, row.size)
            self._settle()
            measured = self._drive(batches.delete(self.signer, self.bucket, keys, row.size), row, seconds)
            gone = keys[: measured.sent]
            self.left.difference_update(gone)
            self._delete(keys[measured.sent :])
            return measured
        measured = self._drive(batches.KEYED[row.work](self.signer, self.bucket, keys, row.size), row, seconds)
        self.left.update(keys[: measured.sent])
        if row.large:
            self._delete(keys[: measured.sent])
            self._settle()
            os.sync()
        return measured

    def _drive(self, batch: Batch, row: Row, seconds: float) -> Measured:
        return driven(self.address, batch, row, seconds, self.process)

    def _settle(self) -> None:
        """So that what was put off is charged to whom it belongs: not to the next round."""
        if self.process:
            cpu.settle(self.process)

    def _put(self, keys: Sequence[str], size: int) -> None:
        chunk = CHUNK if size <= batches.SMALL else 16
        for start in range(0, len(keys), chunk):
            some = keys[start : start + chunk]
            self._all(batches.put(self.signer, self.bucket, some, size), f"PUT of {size} bytes")
            self.left.update(some)

    def _delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), CHUNK):
            some = keys[start : start + CHUNK]
            self._all(batches.delete(self.signer, self.bucket, some, 0), "DELETE")
            self.left.difference_update(some)

    def _all(self, batch: Batch, what: str) -> None:
        measured = drive(self.address, batch, USUAL_CONNECTIONS)
        if measured.errors:
            raise LoadFailed(f"{self.name} at {what}: {dict(measured.errors)}")

    def ask(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        statuses: tuple[int, ...] = (200,),
    ) -> bytes:
        connection = HTTPConnection(*self.address, timeout=60)
        head = self.signer.head(method, path, query, length=None if method == "GET" else 0)
        target, *lines = head.decode().split("\r\n")
        connection.putrequest(method, target.split(" ")[1], skip_host=True, skip_accept_encoding=True)
        for line in lines:
            if line:
                connection.putheader(*line.split(": ", 1))
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status not in statuses:
            raise LoadFailed(f"{self.name} answers {method} {path} with {answer.status}: {body[:1000]!r}")
        return body


class BareTarget:
    """Gets a row's requests as the endpoint would, and answers each with 200."""

    name = "bare"

    def __init__(self, port: int, process: int, folder: Path) -> None:
        self.address = ("127.0.0.1", port)
        self.process = process
        self.signer = Signer("bare", "bare", f"127.0.0.1:{port}")
        self.folder = folder
        self.warm: set[str] = set()

    def measure(self, row: Row, seconds: float) -> Measured:
        if row.name not in self.warm:
            self.warm.add(row.name)
            self._round(row, WARM_SECONDS)
        return self._round(row, seconds)

    def _round(self, row: Row, seconds: float) -> Measured:
        batch = reading(row, self.signer, "bench", Tree())
        length = row.size if row.bare == "stream" else 0
        batch = replace(batch, status=200, length=length, at_least=0, repeat=True)
        measured = driven(self.address, batch, row, seconds, self.process)
        if row.bare == "store":
            for path in self.folder.iterdir():
                path.unlink()
            os.sync()
        return measured


def driven(address: tuple[str, int], batch: Batch, row: Row, seconds: float, process: int | None) -> Measured:
    """Processor time is what the requests cost in the end, what the server put off included."""
    if not process:
        return drive(address, batch, row.connections, seconds)
    before = cpu.seconds(process)
    measured = drive(address, batch, row.connections, seconds)
    if not batch.repeat:
        cpu.settle(process)
    measured.cpu = cpu.seconds(process) - before
    return measured


def reading(row: Row, signer: Signer, bucket: str, tree: Tree) -> Batch:
    """The batch of a row that changes nothing; of one that does, what a bare app gets."""
    if row.work == "LIST-1000":
        last = tree.key(tree.count - tree.page - 1)
        starts = ["tree/", *(key for key in tree.sample(4000) if key < last)]
        return batches.list_page(signer, bucket, starts, tree.page)
    if row.work == "LIST-FOLDER":
        return batches.list_folder(signer, bucket, tree.sample(4000))
    keys = _large_keys(row.size) if row.large else tree.sample(4000)
    return batches.KEYED[row.work](signer, bucket, keys, row.size)


def _large_keys(size: int) -> list[str]:
    return [f"large/{size}/{number:02d}" for number in range(LARGE_KEPT[size])]
