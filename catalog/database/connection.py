"""Opens catalog.duckdb and brings its schema up to date. The settings that bound every query are set here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import duckdb

from catalog.database import places, vacuum
from catalog.database.limits import Limits
from catalog.database.registry import define, see
from catalog.database.transaction import transaction
from catalog.database.views import define_own
from catalog.database.wal import cut_torn_tail
from catalog.errors import CatalogUnusable
from catalog.placing import put_in_place
from catalog.requests import FOLDER

FILE = "catalog.duckdb"
AUTOCHECKPOINT = 64 << 20  # bytes of write-ahead log that DuckDB takes into its file by itself
Config = dict[str, str | bool | int | float | list[str]]
Migration = tuple[int, str, str]  # version, name and SQL
_FURTHER: dict[str, Callable[[duckdb.DuckDBPyConnection], None]] = {"places": places.fill}  # what SQL cannot do
_MIGRATIONS = files("catalog.database").joinpath("migrations")


def open_database(directory: Path | None, limits: Limits | None = None) -> duckdb.DuckDBPyConnection:
    """The catalog in `directory`, or one in memory, migrated and locked down. Raises CatalogUnusable.

    The connection itself sees all in the public views, a cursor of it nothing until it is told what.
    """
    connection = connect(directory, limits or Limits())
    try:
        migrate(connection)
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        see(connection, None)
        define(connection)
        define_own(connection)
        connection.execute(f"SET allowed_configs = ['operator_memory_limit', '{vacuum.SETTING}']")
        connection.execute("SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def connect(directory: Path | None, limits: Limits) -> duckdb.DuckDBPyConnection:
    """The database as it is. Raises CatalogUnusable."""
    if directory is None:
        return _locked_in(duckdb.connect(":memory:", config=_config(limits)), [])
    path = directory / FILE
    if not path.exists():
        _create(path)
    while True:
        try:
            return _locked_in(duckdb.connect(str(path), config=_config(limits)), [directory.absolute() / FOLDER])
        except duckdb.Error as problem:
            if not cut_torn_tail(path, str(problem)):
                raise CatalogUnusable(
                    f"{path} cannot be opened: {problem}. If it is damaged, move it away and start again: it is made "
                    "anew of the key index and the commit log, but for the history of what is no more"
                ) from problem


def _create(path: Path) -> None:
    """An empty database, whole and on the disk when it gets its name: a power cut leaves no part of one."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    duckdb.connect(str(draft)).close()
    put_in_place(draft, path)


def _locked_in(connection: duckdb.DuckDBPyConnection, readable: list[Path]) -> duckdb.DuckDBPyConnection:
    """From now on it reads and writes no files but its own and those in folders that are `readable`."""
    connection.execute("SET GLOBAL allowed_directories = ?", [list(map(str, readable))])
    connection.execute("SET GLOBAL enable_external_access = false")
    return connection


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Run what migrations the database has not had. Raises CatalogUnusable."""
    connection.execute(
        "CREATE SCHEMA IF NOT EXISTS private;"
        "CREATE TABLE IF NOT EXISTS private.schema_version (version INTEGER, name VARCHAR, applied_at TIMESTAMP)"
    )
    for migration in pending(connection):
        run_migration(connection, migration)


def pending(connection: duckdb.DuckDBPyConnection) -> list[Migration]:
    """What the database has not had, in order. Raises CatalogUnusable where it has had more than we know."""
    ((found,),) = connection.execute("SELECT coalesce(max(version), 0) FROM private.schema_version").fetchall()
    known = migrations()
    if found > len(known):
        raise CatalogUnusable(
            f"the catalog has schema version {found}, but this version of Ducket knows only {len(known)}: "
            "it was written by a newer Ducket; run that one, or restore a backup of the data folder"
        )
    return known[found:]


def run_migration(connection: duckdb.DuckDBPyConnection, migration: Migration) -> None:
    """In a transaction of its own."""
    version, name, statements = migration
    with transaction(connection):
        connection.execute(statements)
        if name in _FURTHER:
            _FURTHER[name](connection)
        now = datetime.now(UTC).replace(tzinfo=None)
        connection.execute("INSERT INTO private.schema_version VALUES (?, ?, ?)", [version, name, now])


def migrations() -> list[Migration]:
    """All that there are, in order; a gap in the numbers is a mistake of ours."""
    found = sorted((file.name, file.read_text()) for file in _MIGRATIONS.iterdir() if file.name.endswith(".sql"))
    numbered = [(int(name[:4]), name[5:].removesuffix(".sql"), statements) for name, statements in found]
    assert [version for version, _, _ in numbered] == list(range(1, len(numbered) + 1))
    return numbered


def _config(limits: Limits) -> Config:
    return {
        "memory_limit": f"{limits.buffers()}MiB",
        "threads": limits.threads_in_all(),
        "max_temp_directory_size": "16GiB",
        "wal_autocheckpoint": f"{AUTOCHECKPOINT >> 20}MiB",
        vacuum.SETTING: 0,
        "autoload_known_extensions": False,
        "autoinstall_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
        "preserve_insertion_order": True,
    }
