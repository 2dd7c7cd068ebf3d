"""What more workers do: the same requests to a server of one and to one of several: `python -m bench.cores`."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import report, servers
from bench.batches import Tree
from bench.rows import Row, chosen
from bench.run import finish, server_options
from bench.targets import S3Target

ROWS = ["HEAD@64", "GET-4KiB@64", "PUT-4KiB@64", "PUT-4KiB@16"]
REACH = {"HEAD": 1.7, "GET": 1.7, "PUT": 1.4}


def main() -> None:
    options = parser().parse_args()
    rows, workers = chosen(options.rows or ROWS), options.workers
    on, load = servers.cores(workers)
    os.sched_setaffinity(0, load)
    shared = " (shared: the ratio of throughputs is held down by it)" if on & load else ""
    print(f"server on cores {sorted(on)}, load on cores {sorted(load)}{shared}\n")
    results = []
    with (
        servers.alone(),
        servers.folder(options.folder) as folder,
        filled(folder / "one", 1, on, rows, options) as one,
        filled(folder / "several", workers, on, rows, options) as several,
    ):
        print(f"{report.heading([one.name, several.name], reach=False, cpu=True)}  {'scaling':>8}")
        for row in rows:
            results.append(report.measure(row, [one, several], options.rounds, options.seconds))
            print(f"{report.line(results[-1], reach=False, cpu=True)}  {verdict(results[-1], workers)}", flush=True)
    finish(results, options)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="*", default=[], help=f"names of rows or patterns; usually {', '.join(ROWS)}")
    server_options(parser, workers=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round of each row")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    return parser


@contextmanager
def filled(
    data: Path, workers: int, on: set[int], rows: Sequence[Row], options: argparse.Namespace
) -> Iterator[S3Target]:
    with servers.ducket(data, workers, on, shlex.split(options.command)) as endpoint:
        target = S3Target(endpoint, "bench", Tree())
        target.name = f"{workers} worker{'s' if workers > 1 else ''}"
        target.prepare(rows)
        yield target


def verdict(result: report.Result, workers: int) -> str:
    """What so many workers would do with a core each, going by the processor time that a request costs."""
    scaling = workers * result.cpu_ratio(result.names[1])
    reach = REACH.get(result.row.work, 0.0) * workers / 2
    return f"{scaling:>8.2f} of {workers}{'' if scaling >= reach else ' MISSED'}"


if __name__ == "__main__":
    main()
