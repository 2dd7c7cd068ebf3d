"""Every typed query, macro and timeline on a catalog that is made up: `python -m bench.catalog`."""

from __future__ import annotations

import argparse
import gc
import pickle
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb

from bench.history import BUCKET, DAYS, MadeUp, Pending, day
from catalog.database.applier import apply
from catalog.database.client import fetch
from catalog.database.connection import FILE, open_database
from catalog.database.follower import BATCH
from catalog.database.frames import Sql
from catalog.database.limits import Limits
from catalog.database.local import Local
from catalog.database.tables import applied
from catalog.log import beginning
from catalog.queries import (
    FileFilter,
    compute_version_delta,
    export,
    find_by_artifact_id,
    find_duplicates,
    get_forecast,
    get_growth,
    get_storage_usage,
    get_validation_summary,
    get_version_stats,
    list_files,
    list_validations,
    list_versions,
)

NAME = BUCKET.name
BODY = f"{1:016x}.log:{64 + 2 * 4_400}"  # of the first object put
HISTORY = "history.pickle"  # beside the database: what made it, as it was left
TYPED = {200_000: 0.05, 1_000_000: 0.2}  # seconds wanted of every typed query
TIMELINE = {1_000_000: 0.5, 10_000_000: 0.5, 50_000_000: 2.0}


@dataclass(frozen=True)
class Asked:
    """`wanted` are the seconds at each size that has a wish."""

    name: str
    ask: Callable[[Local], object]
    wanted: dict[int, float]


def main() -> None:
    options = parser().parse_args()
    gc.set_threshold(200_000, 20, 50)  # as the catalog process has it
    print(f"{'query':<34}{'cpu ms':>10}{'wall ms':>10}{'wanted':>9}")
    for size in options.sizes:
        with folder_of(options, size) as folder, filled(folder, size, options.memory) as (catalog, source):
            for asked in questions(size, source.end().seq):
                if any(word in asked.name for word in options.only or [""]):
                    tell(asked, size, catalog, options.runs)
            if not options.only:
                tell_the_rest(size, catalog, source, folder)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    limit = Limits(memory=options.memory).memory_in_all()
    print(f"memory at most {most} MiB, some of it for what makes histories; the limit is {limit}")


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[200_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=3, help="the best of so many counts")
    parser.add_argument("--only", nargs="*", help="queries in whose names one of these words stands")
    parser.add_argument("--memory", type=int, default=0, help="MiB, as --sql-memory says")
    parser.add_argument("--folder", type=Path, help="where it writes")
    parser.add_argument("--keep", type=Path, help="where the catalogs stay, to be asked again")
    return parser


@contextmanager
def folder_of(options: argparse.Namespace, size: int) -> Iterator[Path]:
    """Where the database of a size is to lie, or does: as a copy, for it will be written to."""
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.keep or options.folder) as folder:
        if options.keep is not None:
            kept = Path(options.keep, str(size))
            if not kept.exists():
                kept.mkdir(parents=True)
                with filled(kept, size):
                    pass
            shutil.copytree(kept, folder, dirs_exist_ok=True)
        yield Path(folder)


@contextmanager
def filled(folder: Path, size: int, memory: int = 0) -> Iterator[tuple[Local, Pending]]:
    """A database of so many objects, made unless it is there."""
    made, limits = folder / HISTORY, Limits(memory=memory)
    history = pickle.loads(made.read_bytes()) if made.exists() else MadeUp(size)
    with open_database(folder, limits) as connection:
        if not made.exists():
            fill(connection, history)
            made.write_bytes(pickle.dumps(history))
        each = (folder / FILE).stat().st_size / history.seq
        print(f"\n{size:,} objects, {each:.0f} bytes of database a mutation")
        source = Pending(history)
        yield Local(folder, connection, source, limits), source


def fill(connection: duckdb.DuckDBPyConnection, history: MadeUp) -> None:
    applied.begin(connection, Pending.catalog_id, beginning(Pending.catalog_id))
    for records in history.batches(BATCH):
        apply(connection, records, history.position(records[-1][0]))
    connection.execute("CHECKPOINT")


def tell(asked: Asked, size: int, catalog: Local, runs: int, prepare: Callable[[], None] = lambda: None) -> None:
    spent, passed = [], []
    for _ in range(runs):
        prepare()
        cpu, wall = time.process_time(), time.perf_counter()
        asked.ask(catalog)
        spent.append(time.process_time() - cpu)
        passed.append(time.perf_counter() - wall)
    wanted = asked.wanted.get(size)
    # On an idle machine no query takes longer than the processor time it takes in all its threads.
    verdict = "" if wanted is None else f"{wanted * 1e3:>9.0f}{' MISSED' if min(spent) > wanted else ''}"
    print(f"{asked.name:<34}{min(spent) * 1e3:>10.1f}{min(passed) * 1e3:>10.1f}{verdict}", flush=True)


def tell_the_rest(size: int, catalog: Local, source: Pending, folder: Path) -> None:
    for behind, wanted in ((100, 0.05), (100_000, 2.0)):
        asked = Asked(f"count behind {behind:,} mutations", counted, {size: wanted})
        tell(asked, size, catalog, 3, lambda behind=behind: source.more(behind))  # type: ignore[misc]
    with tempfile.TemporaryDirectory(dir=folder) as target:
        began = time.perf_counter()
        rows = sum(export(catalog, Path(target, "export"), NAME).values())
        each = rows / (time.perf_counter() - began)
        print(f"the bucket exported: {each:,.0f} rows a second (1,000,000 wanted)", flush=True)


def questions(size: int, end: int) -> Iterator[Asked]:
    yield from (Asked(name, ask, TYPED) for name, ask in typed(size).items())
    anywhere = {200_000: 0.05, 1_000_000: 0.05, 10_000_000: 0.05, 50_000_000: 0.05}
    for depth in (1, 2):
        yield Asked(f"usage by prefix, depth {depth}", _usage("prefix", depth), anywhere)
    yield Asked("timeline of the bucket", lambda catalog: get_growth(catalog, "day", NAME), TIMELINE)
    yield Asked("timelines of 300 prefixes", lambda catalog: get_growth(catalog, "month", NAME, depth=2), TIMELINE)
    yield Asked("forecast", lambda catalog: get_forecast(catalog, NAME, free=10**12), TIMELINE)
    yield Asked("duplicates", lambda catalog: find_duplicates(catalog, NAME), TYPED | {10_000_000: 2.0})
    first, last = size // 2, size // 2 + size // 100
    delta = TYPED | {10_000_000: 0.3}
    yield Asked("delta of 1%", lambda catalog: compute_version_delta(catalog, NAME, first, last), delta)
    ago = end - size // 100
    yield Asked("delta of the last 1%", lambda catalog: compute_version_delta(catalog, NAME, ago, end), delta)
    for name, statement in {
        "objects_at, counted": f"SELECT count(*) FROM objects_at('{NAME}', '{day(DAYS // 2):%F}')",
        "delta of 1%, summed": f"SELECT change, sum(bytes) FROM delta_seq('{NAME}', {first}, {last}) GROUP BY change",
        "duplicates, counted": f"SELECT count(*), sum(bytes_wasted) FROM duplicates('{NAME}')",
        "objects, counted and summed": "SELECT count(*), sum(size) FROM objects",
    }.items():
        yield Asked(name, _sql(statement), {})


def typed(size: int) -> dict[str, Callable[[Local], object]]:
    point, noon = size // 2, day(DAYS // 2) + timedelta(hours=12)
    filters = {
        "files": FileFilter(),
        "files --prefix": FileFilter(prefix=f"tree/{day(DAYS // 2):%F}/"),
        "files --glob": FileFilter(glob="*machine-00007*.jpg"),
        "files --tag": FileFilter(tags={"project": "p7"}),
        "files --metadata": FileFilter(metadata={"owner": "team-3"}),
        "files --min-size": FileFilter(min_size=5_000),
        "files --max-age": FileFilter(max_age=timedelta(1)),
        "files --content-type": FileFilter(content_type="image/*"),
    }
    found: dict[str, Callable[[Local], object]] = {
        name: lambda catalog, matching=matching: list_files(catalog, NAME, matching)  # type: ignore[misc]
        for name, matching in filters.items()
    }
    return found | {
        "files --sort size --descending": lambda catalog: list_files(catalog, NAME, sort="size", descending=True),
        "files --at a sequence number": lambda catalog: list_files(catalog, NAME, at=point),
        "files --at a time": lambda catalog: list_files(catalog, NAME, at=noon),
        "versions": lambda catalog: list_versions(catalog, NAME),
        "stats": lambda catalog: get_version_stats(catalog, NAME),
        "stats --at": lambda catalog: get_version_stats(catalog, NAME, at=point),
        **{f"usage by {by}": _usage(by) for by in ("bucket", "owner", "storage_class", "content_type", "age", "tag")},
        "find by ETag": lambda catalog: find_by_artifact_id(catalog, f"{point:032x}"),
        "find by body": lambda catalog: find_by_artifact_id(catalog, BODY),
        "find by checksum": lambda catalog: find_by_artifact_id(catalog, f"{point:011x}="),
        "validations": list_validations,
        "validation summary": get_validation_summary,
    }


def counted(catalog: Local) -> object:
    return fetch(catalog, Sql("SELECT count(*) FROM objects"))


def _usage(by: str, depth: int | None = None) -> Callable[[Local], object]:
    tag = "project" if by == "tag" else None
    return lambda catalog: get_storage_usage(catalog, by, NAME, depth, tag)


def _sql(statement: str) -> Callable[[Local], object]:
    return lambda catalog: fetch(catalog, Sql(statement))


if __name__ == "__main__":
    main()
