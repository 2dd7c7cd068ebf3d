"""The same requests at few keys and at many, which are to cost the same: `python -m bench.scale`."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import cpu, report, servers
from bench.batches import Tree, body_of
from bench.rows import Row
from bench.run import COMMAND, finish
from bench.targets import CHUNK, S3Target
from catalog import Catalog
from catalog.records import Bucket, Origin, Version

SIZE = 100  # of a body: a million small ones fill the index as a million large ones would
REACH = round(1 / 1.5, 3)
ROWS = [
    Row("HEAD", 1, "", SIZE, REACH),
    Row("HEAD", 16, "", SIZE, REACH),
    Row("GET", 16, "", SIZE, REACH),
    Row("LIST-1000", 1, "", SIZE, REACH),
    Row("LIST-FOLDER", 1, "", SIZE, REACH),
    Row("PUT", 16, "", SIZE),
    Row("DELETE", 16, "", SIZE),
]


def main() -> None:
    options = parser().parse_args()
    on, load = servers.cores()
    os.sched_setaffinity(0, load)
    results = []
    with (
        servers.alone(),
        servers.folder(options.folder) as folder,
        filled(folder / "few", options.few, on, options) as few,
        filled(folder / "many", options.many, on, options) as many,
    ):
        print(report.heading([few.name, many.name], reach=True, cpu=True))
        for row in ROWS:
            results.append(report.measure(row, [few, many], options.rounds, options.seconds))
            print(report.line(results[-1], reach=True, cpu=True), flush=True)
    finish(results, options)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--command", default=COMMAND, help="what starts the gateway, before `serve`")
    parser.add_argument("--folder", type=Path, default=Path("build"), help="where it writes")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    return parser


@contextmanager
def filled(data: Path, keys: int, on: set[int], options: argparse.Namespace) -> Iterator[S3Target]:
    with servers.ducket(data, 1, on, shlex.split(options.command)) as endpoint:
        target = S3Target(endpoint, "bench", Tree(keys, SIZE))
        target.name = f"{keys:,} keys"
        target.create()
        began = time.perf_counter()
        asyncio.run(open_and_fill(data, "bench", target.tree))
        print(f"{keys:,} keys put in {time.perf_counter() - began:.1f} s", flush=True)
        target.check()
        cpu.settle(endpoint.process or 0)
        yield target


async def open_and_fill(data: Path, name: str, tree: Tree) -> None:
    """Through the catalog's own door, beside the server: a million PUTs over HTTP would take minutes."""
    catalog = Catalog.open(data)
    try:
        await fill(catalog, catalog.bucket(name), tree)
    finally:
        await catalog.close()


async def fill(catalog: Catalog, bucket: Bucket, tree: Tree) -> None:
    keys = tree.keys()
    for start in range(0, len(keys), CHUNK):
        some = enumerate(keys[start : start + CHUNK])
        await asyncio.gather(*(_put(catalog, bucket, key, number, tree.size) for number, key in some))


async def _put(catalog: Catalog, bucket: Bucket, key: str, number: int, size: int) -> Version:
    body = body_of(key, number, size)
    etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
    draft = Version(0, "", 0, etag, size, "STANDARD", bucket.owner)
    return await catalog.put(Origin(bucket.owner), bucket, key, draft, body)


if __name__ == "__main__":
    main()
