"""Migrations by hand: what the database of a stopped folder lacks, tried on a copy or run with a copy kept.

Whoever opens the database runs them, too; here they can be looked at before.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from catalog.database.connection import FILE, Migration, connect, migrations, pending, run_migration
from catalog.database.limits import Limits
from catalog.database.ownership import owning
from catalog.errors import CatalogUnusable
from catalog.placing import copy, sync_path

KEPT = "before-migration-"
TRIED = "trying-migrations"


@dataclass(frozen=True)
class Step:
    """A migration; `applied` is when the database had it, None where it has not."""

    version: int
    name: str
    applied: datetime | None


@dataclass(frozen=True)
class Ran:
    version: int
    name: str
    seconds: float


@dataclass(frozen=True)
class Migrated:
    """`kept` is the folder with the database as it was, None where nothing was to be done or kept."""

    ran: tuple[Ran, ...]
    kept: Path | None = None


def steps(directory: Path) -> list[Step]:
    """What the database of a stopped folder had, whoever made them, and what it lacks. Raises CatalogUnusable."""
    with _owned(directory), connect(directory, Limits()) as connection:
        had = _had(connection)
    return had + steps_behind(max(step.version for step in had))


def newest() -> int:
    """The schema version that this version of Ducket makes."""
    return len(migrations())


def steps_behind(version: int) -> list[Step]:
    """What we know beyond a version."""
    return [Step(known, name, None) for known, name, _ in migrations() if known > version]


def try_out(directory: Path) -> Migrated:
    """Run what is lacking on a copy that is removed again. Raises CatalogUnusable, OSError."""
    with _owned(directory):
        if not _lacking(directory):
            return Migrated(())
        copied = directory / TRIED
        shutil.rmtree(copied, ignore_errors=True)
        try:
            _copy(directory, copied)
            return Migrated(_run(copied))
        finally:
            shutil.rmtree(copied, ignore_errors=True)


def bring_up(directory: Path) -> Migrated:
    """Run what is lacking, each in a transaction, once a copy of the database is on the disk. Raises as `try_out`."""
    with _owned(directory):
        lacking = _lacking(directory)
        if not lacking:
            return Migrated(())
        kept = directory / f"{KEPT}{lacking[0][0]}"
        draft = directory / TRIED
        for path in (draft, kept):
            shutil.rmtree(path, ignore_errors=True)
        try:
            _copy(directory, draft)
            draft.rename(kept)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        sync_path(directory)
        return Migrated(_run(directory), kept)


@contextmanager
def _owned(directory: Path) -> Iterator[None]:
    if not (directory / FILE).exists():
        raise CatalogUnusable(f"there is no {directory / FILE}")
    with owning(directory):
        yield


def _lacking(directory: Path) -> list[Migration]:
    """Raises CatalogUnusable where the database is newer than we are."""
    with connect(directory, Limits()) as connection:
        _had(connection)
        return pending(connection)


def _had(connection: duckdb.DuckDBPyConnection) -> list[Step]:
    try:
        found = connection.execute("SELECT version, name, applied_at FROM private.schema_version ORDER BY version")
    except duckdb.CatalogException:
        raise CatalogUnusable(f"{FILE} is no catalog of Ducket's") from None
    return [Step(*row) for row in found.fetchall()]


def _run(directory: Path) -> tuple[Ran, ...]:
    ran = []
    with connect(directory, Limits()) as connection:
        for migration in pending(connection):
            began = time.perf_counter()
            version, name, _ = migration
            try:
                run_migration(connection, migration)
            except duckdb.Error as problem:
                raise CatalogUnusable(f"migration {version}, {name}, failed and left nothing: {problem}") from problem
            ran.append(Ran(version, name, time.perf_counter() - began))
        connection.execute("CHECKPOINT")
    return tuple(ran)


def _copy(directory: Path, target: Path) -> None:
    target.mkdir()
    for name in (FILE, f"{FILE}.wal"):
        if (directory / name).exists():
            copy(directory / name, target / name)
    sync_path(target)
