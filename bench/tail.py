"""How long the slowest of small requests take, alone and beside heavy work: `python -m bench.tail`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import batches, cpu, report, servers, slow_disk
from bench.batches import Tree
from bench.beside import BUCKET as BESIDE
from bench.beside import LOADS, Scene, beside, put
from bench.paced import paced, percentiles
from bench.run import server_options
from bench.targets import CHUNK, Endpoint, S3Target
from catalog import Catalog

SHARES = (0.5, 0.99, 0.999)
REACH = 3.0
SIZE = 4096
SLOW_DISK = "a disk that syncs in 10 ms"
SLOW_SECONDS = 0.01
SETTLE = 2.0  # seconds
ROWS = (SLOW_DISK, *LOADS)
HEADING = f"{'beside':<28}" + "".join(
    f"{kind:>5} {'quiet p99':>10} {'p50 ms':>8} {'p99 ms':>8} {'p99.9':>8} {'ratio':>6} " for kind in ("GET", "PUT")
)


@dataclass
class Tails:
    """Of one kind of request, in milliseconds, round by round: the percentiles quiet and beside."""

    quiet: list[list[float]] = field(default_factory=list)
    beside: list[list[float]] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return middle(self.beside)[1] / middle(self.quiet)[1]


def main() -> None:
    options = parser().parse_args()
    rows = [row for row in ROWS if not options.rows or row in options.rows]
    every = os.sched_getaffinity(0)
    print(f"server on cores {sorted(every)}, {options.workers} workers, {options.rate} GET and PUT a second\n{HEADING}")
    results = {}
    with (
        servers.alone(),
        servers.folder(options.folder) as folder,
        served(folder, every, options) as (scene, process),
    ):
        for row in rows:
            results[row] = measured(row, scene, process, folder, options)
            print(line(row, results[row]), flush=True)
    if options.json:
        plain = {row: {kind: vars(tails) for kind, tails in kinds.items()} for row, kinds in results.items()}
        options.json.write_text(json.dumps({"machine": report.machine(), "rows": plain}, indent=2, default=str) + "\n")


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="*", default=[], choices=ROWS, metavar="ROW", help=", ".join(ROWS))
    server_options(parser)
    parser.add_argument("--keys", type=int, default=200_000, help="in the bucket that is read")
    parser.add_argument("--rate", type=float, default=400, help="requests of each kind a second")
    parser.add_argument("--connections", type=int, default=16, help="of each kind")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round, quiet and beside")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    return parser


@contextmanager
def served(folder: Path, every: set[int], options: argparse.Namespace) -> Iterator[tuple[Scene, int]]:
    """A server and its process, with its keys, on a disk that can be made slow."""
    os.environ.update(slow_disk.prepare(folder / "modules", folder / "slow", SLOW_SECONDS))
    with servers.ducket(folder / "data", options.workers, every, shlex.split(options.command)) as endpoint:
        for bucket in ("bench", BESIDE):
            S3Target(endpoint, bucket).create()
        asyncio.run(fill(folder / "data", "bench", Tree(options.keys, SIZE)))
        yield scene_of(endpoint, folder / "data", options.keys), endpoint.process or 0


async def fill(data: Path, name: str, tree: Tree) -> None:
    """Through the catalog's own door, beside the server."""
    catalog = Catalog.open(data)
    try:
        bucket, keys = catalog.bucket(name), tree.keys()
        for start in range(0, len(keys), CHUNK):
            await asyncio.gather(*(put(catalog, bucket, key, tree.size) for key in keys[start : start + CHUNK]))
    finally:
        await catalog.close()


def scene_of(endpoint: Endpoint, data: Path, keys: int) -> Scene:
    return Scene(
        endpoint.host, endpoint.port, endpoint.access_key, endpoint.secret_key, f"{data.absolute()}", "bench", keys
    )


def measured(row: str, scene: Scene, process: int, folder: Path, options: argparse.Namespace) -> dict[str, Tails]:
    """Quiet and beside in turn, so that the machine's moods fall on both."""
    kinds = {"GET": Tails(), "PUT": Tails()}
    for number in range(options.rounds):
        cpu.settle(process)
        for _ in range(2):  # what was broken off is removed, then the disk is told so, which holds it up
            os.sync()
            time.sleep(SETTLE)
        for tails, found in zip(kinds.values(), measure(scene, f"{row}/{number}/quiet", options), strict=True):
            tails.quiet.append(found)
        with slow(folder / "slow") if row == SLOW_DISK else beside(row, scene):
            for tails, found in zip(kinds.values(), measure(scene, f"{row}/{number}/beside", options), strict=True):
                tails.beside.append(found)
    return kinds


def measure(scene: Scene, prefix: str, options: argparse.Namespace) -> list[list[float]]:
    """The percentiles of GET and PUT, in milliseconds."""
    keys = [f"{prefix.replace(' ', '-')}/{number:06d}" for number in range(int(options.rate * options.seconds) + 2)]
    both = [
        batches.get(scene.signer, scene.bucket, Tree(scene.keys, SIZE).sample(4000), SIZE),
        batches.put(scene.signer, scene.bucket, keys, SIZE),
    ]
    found = paced((scene.host, scene.port), both, options.connections, options.rate, options.seconds)
    return [[value * 1000 for value in percentiles(latencies, SHARES)] for latencies in found]


@contextmanager
def slow(switch: Path) -> Iterator[None]:
    switch.touch()
    try:
        yield
    finally:
        switch.unlink()


def line(row: str, kinds: dict[str, Tails]) -> str:
    columns = [f"{row:<28}"]
    for kind, tails in kinds.items():
        p50, p99, p999 = middle(tails.beside)
        # What syncs through the disk itself is as slow as the disk.
        missed = " MISSED" if tails.ratio > REACH and (row, kind) != (SLOW_DISK, "PUT") else ""
        quiet = middle(tails.quiet)[1]
        columns.append(f"{'':>5} {quiet:>10.3f} {p50:>8.3f} {p99:>8.3f} {p999:>8.3f} {tails.ratio:>6.2f}{missed} ")
    return "".join(columns).rstrip()


def middle(rounds: Sequence[Sequence[float]]) -> list[float]:
    """The median of the rounds, percentile by percentile."""
    return [median(values) for values in zip(*rounds, strict=True)]


if __name__ == "__main__":
    main()
