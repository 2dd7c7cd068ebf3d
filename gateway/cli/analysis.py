"""`ducket db analyze`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from gateway.cli.catalog import as_json
from gateway.cli.options import CommandError, settings_of
from gateway.cli.status import size
from gateway.cli.table import table
from gateway.cli.users import opened

if TYPE_CHECKING:
    from catalog.queries import Analysis


def run(given: argparse.Namespace) -> None:
    from catalog.queries import advise, analyze, reach

    settings = settings_of(given)
    if not (settings.data / "log").exists():
        raise CommandError(f"there is no catalog in {settings.data}")
    with opened(settings) as whole, reach(settings.data, catalog=whole) as catalog:
        found = analyze(catalog, whole)
    advice = list(advise(found))
    if given.json:
        print(as_json({**asdict(found), "hit_rate": found.database.hit_rate, "advice": advice}))
        return
    names = ("private table", "rows", "dead", "not in the file", "row groups", "sparse", "overlapping", "size")
    tables = [
        (t.name, t.rows, t.dead, t.unsaved, t.row_groups, t.sparse, t.overlapping, size(t.bytes)) for t in found.tables
    ]
    print(table(names, tables))
    print("\n" + table(("what", "state"), list(states(found))))
    for each in advice:
        print(f"advice: {each}")


def states(found: Analysis) -> Iterator[tuple[str, str]]:
    database, index, log, bodies = found.database, found.index, found.log, found.bodies
    yield "journal", f"{found.journal:,} rows, to sequence number {found.seq}"
    yield "lag", f"{found.lag:,} mutations were not in the database yet"
    yield (
        "database",
        f"{size(database.bytes)}, of them {size(database.free)} free; write-ahead log {size(database.wal)}",
    )
    yield (
        "database in memory",
        (
            f"{size(database.in_buffer)} in DuckDB's buffer of {size(database.buffer_limit)}, "
            f"{size(database.in_page_cache)} in the page cache"
        ),
    )
    if database.read is not None and database.from_disk is not None and database.hit_rate is not None:
        yield (
            "reads",
            (
                f"{size(database.read)} by the catalog process, {size(database.from_disk)} of them from the disk: "
                f"{database.hit_rate:.1%} hits"
            ),
        )
    yield (
        "key index",
        (
            f"{index.entries:,} entries, depth {index.depth}, {size(index.bytes)}: {size(index.bytes_in_memory)} in "
            f"memory, {index.free:,} of {index.pages:,} pages free"
        ),
    )
    yield (
        "commit log",
        (
            f"{log.segments} segments, {size(log.bytes)}; {log.living_bodies:,} living bodies of "
            f"{size(log.living_bytes)}; {log.sparse} segments mostly dead"
        ),
    )
    yield (
        "large bodies",
        (
            f"{bodies.files:,} files; {bodies.orphans:,} of {size(bodies.orphan_bytes)} named by nothing, "
            f"{bodies.lost:,} lost"
        ),
    )
