"""The same requests in a usual bucket and in one that is steep somewhere: `python -m bench.cliffs`.

Steep are a million noncurrent versions under the keys that are asked for, and a hundred thousand folders.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import batches, cpu, report, scale, servers
from bench.batches import Tree
from bench.beside import put
from bench.load import Batch, Measured
from bench.rows import Row
from bench.run import finish, server_options
from bench.scale import REACH, SIZE
from bench.targets import CHUNK, Endpoint, S3Target, driven
from catalog import Catalog
from catalog.records import Bucket, Origin

FOLDERS = "LIST-FOLDERS"  # a page of a thousand folders
ROWS = scale.ROWS[1:]  # with one HEAD
FOLDERS_ROW = Row(FOLDERS, 1, "", SIZE, REACH)


@dataclass(frozen=True)
class Wide(Tree):
    """A key a folder."""

    def key(self, number: int) -> str:
        return f"tree/{number:06d}/00"


class Versioned(S3Target):
    """Writes go to the keys that have noncurrent versions, and leave more of them."""

    def measure(self, row: Row, seconds: float) -> Measured:
        if row.work not in ("PUT", "DELETE"):
            return super().measure(row, seconds)
        batch = batches.KEYED[row.work](self.signer, self.bucket, self.tree.sample(self.tree.count), row.size)
        return driven(self.address, batch, row, seconds, self.process)


class Folders(S3Target):
    """Pages of a thousand folders, from wherever a whole page is left."""

    def measure(self, row: Row, seconds: float) -> Measured:
        return driven(self.address, self.pages(), row, seconds, self.process)

    def pages(self) -> Batch:
        starts = ["tree/", *self.tree.keys()[: -self.tree.page : self.tree.page // 10]]
        query = {"list-type": "2", "delimiter": "/", "prefix": "tree/", "max-keys": f"{self.tree.page}"}
        return batches.listed(self.signer, self.bucket, [query | {"start-after": start} for start in starts], 30_000)


def main() -> None:
    options = parser().parse_args()
    on, load = servers.cores(options.workers)
    os.sched_setaffinity(0, load)
    results = []
    with (
        servers.alone(),
        servers.folder(options.folder) as folder,
        servers.ducket(folder / "data", options.workers, on, shlex.split(options.command)) as endpoint,
    ):
        even, steep = filled(endpoint, folder / "data", options)
        few, many = wide(endpoint, folder / "data", options)
        cpu.settle(endpoint.process or 0)
        print(report.heading([even.name, steep.name], reach=True, cpu=True))
        for row in (*ROWS, FOLDERS_ROW):
            targets: list[S3Target] = [few, many] if row is FOLDERS_ROW else [even, steep]
            results.append(report.measure(row, targets, options.rounds, options.seconds))
            print(report.line(results[-1], reach=True, cpu=True), flush=True)
    finish(results, options)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    server_options(parser)
    parser.add_argument("--keys", type=int, default=20_000)
    parser.add_argument("--versions", type=int, default=50, help="noncurrent ones of each key, in the steep bucket")
    parser.add_argument("--folders", type=int, default=100_000, help="in the steep bucket")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--json", type=Path, help="where to write all figures")
    return parser


def filled(endpoint: Endpoint, data: Path, options: argparse.Namespace) -> Iterator[Versioned]:
    """Two versioned buckets of the same keys, in one of which each has noncurrent versions too."""
    tree = Tree(options.keys, SIZE)
    for name, times in (("even", 1), ("steep", 1 + options.versions)):
        target = Versioned(endpoint, name, tree)
        target.name = name
        target.create()
        asyncio.run(fill(data, name, tree.keys(), times))
        yield target


def wide(endpoint: Endpoint, data: Path, options: argparse.Namespace) -> Iterator[Folders]:
    for name, count in (("few-folders", Tree.page + 1), ("many-folders", options.folders)):
        target = Folders(endpoint, name, Wide(count, SIZE))
        target.name = name
        target.create()
        asyncio.run(fill(data, name, target.tree.keys(), 1))
        yield target


async def fill(data: Path, name: str, keys: list[str], times: int) -> None:
    """Through the catalog's own door, beside the server: each key so many times, in versions of its own."""
    catalog = Catalog.open(data)
    try:
        bucket = await catalog.update_bucket(Origin(), name, versioned)
        for _ in range(times):
            for start in range(0, len(keys), CHUNK):
                await asyncio.gather(*(put(catalog, bucket, key, SIZE) for key in keys[start : start + CHUNK]))
    finally:
        await catalog.close()


def versioned(bucket: Bucket) -> Bucket:
    return msgspec.structs.replace(bucket, versioning="Enabled")


if __name__ == "__main__":
    main()
