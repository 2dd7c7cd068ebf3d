"""A database made of the tables of an export."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
from msgspec.structs import replace

from catalog.database.applier import apply
from catalog.database.connection import connect, migrate, migrations, open_database, run_migration
from catalog.database.dumping import TABLES
from catalog.database.feed import Feed
from catalog.database.limits import Limits
from catalog.database.tables import applied
from catalog.errors import CatalogUnusable
from catalog.records import LogRecord, Mutation, Origin, Position

_VERSIONS = "schema_version"
_BATCH = 16_384


class Loaded:
    """A database that was just made of an export."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.catalog_id = applied.identity(connection)
        self.position = applied.position(connection)
        self.feed = Feed(connection)

    def go_on(self, catalog_id: bytes, start: Position, mutations: list[Mutation]) -> Position:
        """Apply mutations that no log has, and stand behind the last of them where the log begins anew."""
        applied.begin(self._connection, catalog_id, start)
        now = time.time_ns() // 1_000_000
        for first in range(0, len(mutations), _BATCH):
            batch = [LogRecord(now, Origin(), mutation) for mutation in mutations[first : first + _BATCH]]
            numbered = list(enumerate(batch, start.seq + 1))
            start = replace(start, seq=start.seq + len(batch))
            apply(self._connection, numbered, start)
        return start


@contextmanager
def loaded(directory: Path, tables: Path) -> Iterator[Loaded]:
    """The database in `directory`, which has none yet, with what the files in `tables` hold; saved whole at the end.

    Raises CatalogUnusable.
    """
    version = _version(tables)
    with connect(directory, Limits()) as connection:
        connection.execute(
            "CREATE SCHEMA private; CREATE TABLE private.schema_version (version INTEGER, name VARCHAR, "
            "applied_at TIMESTAMP)"
        )
        for migration in migrations()[:version]:
            run_migration(connection, migration)
        for path in sorted(tables.glob("*.parquet")):
            if path.stem != _VERSIONS:
                _fill(connection, path)
        migrate(connection)
        # Rows that were stored are no part of an export.
        connection.execute("UPDATE private.views SET refreshed = NULL")
    with open_database(directory) as connection:
        yield Loaded(connection)
        connection.execute("CHECKPOINT")


def _version(tables: Path) -> int:
    """Which migrations the tables have had."""
    try:
        had = parquet.read_table(tables / f"{_VERSIONS}.parquet", columns=["version"])["version"].to_pylist()
    except (OSError, pa.ArrowException):
        raise CatalogUnusable(
            f"{tables} holds no tables of a catalog: an export of the whole catalog does, one of a bucket does not"
        ) from None
    version, known = int(max(had)), len(migrations())
    if version > known:
        raise CatalogUnusable(
            f"the export has schema version {version}, but this version of Ducket knows only {known}: "
            "it was written by a newer Ducket; run that one"
        )
    return version


def _fill(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """In the order of sequence numbers, where there are any: versions and mutations are found by them."""
    if (path.stem,) not in connection.execute(TABLES).fetchall():
        raise CatalogUnusable(f"{path} is no table of a catalog")
    try:
        file = parquet.ParquetFile(path)
        rows = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
        order = " ORDER BY seq" if "seq" in file.schema_arrow.names else ""
        connection.register("incoming", rows)
        try:
            connection.execute(f"DELETE FROM private.{path.stem}")
            connection.execute(f"INSERT INTO private.{path.stem} BY NAME SELECT * FROM incoming{order}")
        finally:
            connection.unregister("incoming")
    except (duckdb.Error, pa.ArrowException, OSError) as problem:
        raise CatalogUnusable(f"{path} cannot be read as the table {path.stem} of a catalog: {problem}") from problem
