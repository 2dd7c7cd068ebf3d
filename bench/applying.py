"""What a mutation costs the catalog process, by how much is there already: `python -m bench.applying`."""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from bench.history import MadeUp, Numbered, Pending
from catalog.database.applier import apply
from catalog.database.connection import open_database
from catalog.database.follower import BATCH
from catalog.database.tables import applied
from catalog.log import beginning


def main() -> None:
    options = parser().parse_args()
    gc.set_threshold(200_000, 20, 50)  # as the catalog process has it
    print("µs of CPU a mutation, checkpoints among it; the log is not read\n")
    print(f"{'objects before':>14}{'new':>10}{'overwritten':>14}{'removed':>10}")
    for size in options.sizes:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, open_database(Path(folder)) as connection:
            history = MadeUp(size + options.mutations, days=1)
            applied.begin(connection, Pending.catalog_id, beginning(Pending.catalog_id))
            begun = next(history.batches(1))
            apply(connection, begun, history.position())
            spend(connection, history, history.puts, size)
            half = options.mutations // 2
            new, overwritten, removed = (
                spend(connection, history, make, count) / count * 1e6
                for make, count in (
                    (history.puts, options.mutations),
                    (history.overwrites, half),
                    (history.removals, half),
                )
            )
            print(f"{size:>14,}{new:>10.1f}{overwritten:>14.1f}{removed:>10.1f}", flush=True)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[0, 1_000_000])
    parser.add_argument(
        "--mutations", type=int, default=200_000, help="new objects; half as many are overwritten, and removed"
    )
    parser.add_argument("--folder", type=Path, help="where it writes")
    return parser


def spend(
    connection: duckdb.DuckDBPyConnection,
    history: MadeUp,
    make: Callable[[int], list[Numbered]],
    mutations: int,
) -> float:
    """Seconds of CPU to apply so many."""
    spent = 0.0
    while mutations > 0:
        records = make(min(mutations, BATCH))
        mutations -= len(records)
        began = time.process_time()
        apply(connection, records, history.position())
        spent += time.process_time() - began
    began = time.process_time()
    connection.execute("CHECKPOINT")
    return spent + time.process_time() - began


if __name__ == "__main__":
    main()
