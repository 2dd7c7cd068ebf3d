"""What the catalog process can say of itself."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import duckdb

from catalog.database.connection import FILE
from catalog.database.follower import Follower
from catalog.database.frames import Status
from catalog.database.source import Source

_TABLES = ("buckets", "objects", "uploads", "parts", "users", "journal")
_COUNT = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM private.{table}" for table in _TABLES)


def take_status(
    directory: Path,
    connection: duckdb.DuckDBPyConnection,
    follower: Follower,
    source: Source,
    problem: str | None = None,
) -> Status:
    """`rows` are of the private tables: `objects` counts versions. `applied` may be ahead of them by a moment."""
    with connection.cursor() as cursor:
        rows = {str(table): int(count) for table, count in cursor.execute(_COUNT).fetchall()}
    sizes = {}
    for path in sorted(directory.glob(f"{FILE}*")):
        with suppress(FileNotFoundError):  # a checkpoint took it away
            if path.is_file():
                sizes[path.name] = path.stat().st_size
    return Status(follower.applied, source.end(), rows, sizes, problem)
