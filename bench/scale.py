"""The same requests at few keys and at many, which are to cost the same: `python -m bench.scale`."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import cpu, report, servers
from bench.generated import Archive, generate
from bench.load import LoadFailed
from bench.memory import held_by
from bench.rows import MIB, Row
from bench.run import COMMAND, finish
from bench.targets import S3Target
from catalog import Catalog
from catalog.records import Bucket, Origin

SIZE = 100  # of a body: ten million small ones fill the index as ten million large ones would
REACH = round(1 / 1.3, 3)
ROWS = [
    Row("HEAD", 1, "", SIZE, REACH),
    Row("HEAD", 16, "", SIZE, REACH),
    Row("GET", 16, "", SIZE, REACH),
    Row("PUT", 16, "", SIZE, REACH),
    Row("LIST-1000", 1, "", SIZE, REACH),
    Row("LIST-FOLDER", 1, "", SIZE, REACH),
    Row("DELETE", 16, "", SIZE, REACH),  # the last: nothing can be got afterwards
]


def main() -> None:
    options = parser().parse_args()
    on, load = servers.cores()
    os.sched_setaffinity(0, load)
    results = []
    with servers.folder(options.folder) as folder:
        few = fill(folder / "few", Archive(options.few, SIZE))
        many = fill(folder / "many", Archive(options.many, SIZE))
        with (
            servers.alone(),
            running(folder / "few", few, on, options) as one,
            running(folder / "many", many, on, options) as other,
        ):
            print(report.heading([one.name, other.name], reach=True, cpu=True))
            for row in ROWS:
                results.append(report.measure(row, [one, other], options.rounds, options.seconds))
                print(report.line(results[-1], reach=True, cpu=True), flush=True)
            tell_memory(other)
        killed(folder / "many", many, on, options)
        began = time.perf_counter()
        with running(folder / "many", many, on, options):
            print(f"\nstart after SIGKILL: {time.perf_counter() - began:.2f} s, the first answers checked with it")
    finish(results, options)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--command", default=COMMAND, help="what starts the gateway, before `serve`")
    parser.add_argument("--folder", type=Path, default=Path("build"), help="where it writes")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    return parser


def fill(data: Path, tree: Archive) -> Archive:
    """A catalog with the keys of `tree`; tells what it takes."""
    data.mkdir(parents=True)
    bucket = asyncio.run(begin(data))
    filled = generate(data, bucket, tree)
    began = time.perf_counter()
    Catalog.open(data).release()
    rebuilt = time.perf_counter() - began
    sizes = {
        "index": (data / "index" / "data.mdb").stat().st_blocks * 512,
        "DuckDB": (data / "catalog.duckdb").stat().st_size,
        "log": sum(path.stat().st_size for path in (data / "log").glob("*.log")),
    }
    each = ", ".join(f"{name} {size / tree.count:.0f}" for name, size in sizes.items())
    print(
        f"{tree.count:,} keys: made in {filled:.0f} s; index rebuilt at {tree.count / rebuilt:,.0f} keys a second;"
        f" bytes a key: {each}",
        flush=True,
    )
    return tree


async def begin(data: Path) -> Bucket:
    catalog = Catalog.open(data)
    bucket = await catalog.create_bucket(Origin(), "bench", "owner", "us-east-1")
    await catalog.close()
    return bucket


@contextmanager
def running(data: Path, tree: Archive, on: set[int], options: argparse.Namespace) -> Iterator[S3Target]:
    with servers.ducket(data, 1, on, shlex.split(options.command)) as endpoint:
        target = S3Target(endpoint, "bench", tree)
        target.name = f"{tree.count:,} keys"
        target.check()
        yield target


def tell_memory(target: S3Target) -> None:
    cpu.settle(target.process or 0)
    print(f"\nmemory at {target.name}, MiB:\n{'process':<26}{'beside the map':>16}{'of the map':>12}{'peak':>8}")
    for held in held_by(target.process or 0):
        figures = f"{held.beside / MIB:>16.0f}{held.mapped / MIB:>12.0f}{held.peak / MIB:>8.0f}"
        print(f"{held.name:<26}{figures}")


def killed(data: Path, tree: Archive, on: set[int], options: argparse.Namespace) -> None:
    """A server that ends in the middle of its work: every process at once."""
    with suppress(LoadFailed), running(data, tree, on, options) as target:
        target.measure(ROWS[3], options.seconds)
        for pid in cpu.family(target.process or 0):
            os.kill(pid, signal.SIGKILL)
        time.sleep(servers.PAUSE)


if __name__ == "__main__":
    main()
