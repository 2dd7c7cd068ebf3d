"""Measures the gateway against bare ASGI apps on the same uvicorn, row by row: `python -m bench.run`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import report, servers
from bench.batches import Tree
from bench.rows import Row, chosen
from bench.targets import BareTarget, S3Target

COMMAND = f"{shlex.quote(sys.executable)} -m gateway.cli"


def main() -> None:
    options = parser().parse_args()
    rows = chosen(options.rows, options.every)
    on, load = servers.cores(options.workers)
    os.sched_setaffinity(0, load)
    print(f"server on cores {sorted(on)}, load on cores {sorted(load)}{' (the same)' if on == load else ''}\n")
    results = []
    with (
        servers.alone(),
        servers.folder(options.folder) as folder,
        gateway(folder, rows, on, options) as ducket,
    ):
        print(report.heading(["bare", ducket.name], reach=True, cpu=True))
        for row in rows:
            with bare(row, folder, on) as target:
                results.append(report.measure(row, [target, ducket], options.rounds, options.seconds))
            print(report.line(results[-1], reach=True, cpu=True), flush=True)
    finish(results, options)
    missed = [result.row.name for result in results if "MISSED" in report.verdict(result)]
    if missed and options.strict:
        raise SystemExit(f"missed: {', '.join(missed)}")


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    common_options(parser)
    server_options(parser)
    parser.add_argument("--strict", action="store_true", help="fail where a reach is missed")
    return parser


def server_options(parser: argparse.ArgumentParser, workers: int = 1) -> None:
    """Of those that start the gateway themselves."""
    parser.add_argument("--workers", type=int, default=workers)
    parser.add_argument("--command", default=COMMAND, help="what starts the gateway, before `serve`")
    parser.add_argument("--folder", type=Path, default=Path("build"), help="where it writes: the disk measured")


def common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", nargs="*", default=[], help="names of rows or patterns, such as 'PUT*@16'")
    parser.add_argument("--every", action="store_true", help="the rows that take long, too")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round of each row")
    parser.add_argument("--keys", type=int, default=20_000, help="small objects to get, head and list")
    parser.add_argument("--json", type=Path, help="where to write all figures")


@contextmanager
def gateway(folder: Path, rows: Sequence[Row], on: set[int], options: argparse.Namespace) -> Iterator[S3Target]:
    with servers.ducket(folder / "data", options.workers, on, shlex.split(options.command)) as endpoint:
        target = S3Target(endpoint, "bench", Tree(options.keys))
        target.prepare(rows)
        yield target


@contextmanager
def bare(row: Row, folder: Path, on: set[int]) -> Iterator[BareTarget]:
    files = folder / row.bare
    files.mkdir(exist_ok=True)
    with servers.bare(row.bare, files, row.size, on) as (port, process):
        yield BareTarget(port, process, files)


def finish(results: Sequence[report.Result], options: argparse.Namespace) -> None:
    """Writes the figures down and fails where an answer was wrong."""
    if options.json:
        report.written(options.json, results, plain(options))
    wrong = [result.row.name for result in results if result.wrong]
    if wrong:
        raise SystemExit(f"wrong answers in {', '.join(wrong)}: their figures mean nothing")


def plain(options: argparse.Namespace) -> dict[str, Any]:
    return {
        name: f"{value}" if isinstance(value, Path) else value
        for name, value in vars(options).items()
        if name != "json"
    }


if __name__ == "__main__":
    main()
