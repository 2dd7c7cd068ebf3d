"""What the database alone knows, kept in files beside it: the operator's views, named points, and usage day by day.

A database that is lost is made anew of the key index, which knows none of this. As long as there is one, it is right.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as parquet

from catalog.database.tables import applied, points, usage, views
from catalog.errors import QueryFailed
from catalog.placing import put_in_place, sync_path

FILE = "kept.json"
DAYS = "usage"  # a folder, in it a file a day
_MOST_DAYS = 20  # written at a time, for the applier waits

_keeping = threading.Lock()  # held from the look at the tables until the file says the same

log = logging.getLogger(__name__)


class _View(msgspec.Struct):
    name: str
    description: str
    statement: str


class _Point(msgspec.Struct):
    bucket_id: int
    name: str
    seq: int
    created: datetime


class _Kept(msgspec.Struct):
    """Views in the order in which they were added."""

    views: list[_View]
    points: list[_Point]


def keep(connection: duckdb.DuckDBPyConnection) -> None:
    """Views and points as they are; nothing is written where the file says so already. Raises QueryFailed."""
    folder = _folder(connection)
    if folder is not None:
        try:
            with _keeping:
                _keep(connection, folder)
        except OSError as problem:
            raise QueryFailed(f"it is done, but {folder / FILE}, where it is to be kept, says: {problem}") from None


def restore(connection: duckdb.DuckDBPyConnection) -> None:
    """Give them to a database that was never filled. Rows that a view had stored are not among them."""
    folder = _folder(connection)
    if folder is None or applied.identity(connection) is not None or not (folder / FILE).exists():
        return
    try:
        kept = msgspec.json.decode((folder / FILE).read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError) as problem:
        log.warning("%s cannot be read, and what it keeps is not restored: %s", folder / FILE, problem)
        return
    known = views.names(connection)
    for view in kept.views:
        if view.name not in known:
            views.add(connection, views.Row(view.name, view.description, view.statement, None))
    points.replace(connection, [(each.bucket_id, each.name, each.seq, each.created) for each in kept.points])


def keep_days(connection: duckdb.DuckDBPyConnection, today: date) -> bool:
    """Write a file for days that are over and have none; whether that was all of them."""
    folder = _folder(connection)
    if folder is None:
        return True
    folder = folder / DAYS
    lacking = [day for day in usage.days_before(connection, today) if not _of_day(folder, day).exists()]
    if lacking and not folder.exists():
        folder.mkdir()
        sync_path(folder.parent)
    for day in lacking[:_MOST_DAYS]:
        draft = folder / f"{day}.new"
        parquet.write_table(usage.of_day(connection, day), draft, compression="zstd")
        put_in_place(draft, _of_day(folder, day))
    return len(lacking) <= _MOST_DAYS


def days(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[date, pa.Table]]:
    """What `keep_days` wrote, as far as it can be read."""
    folder = _folder(connection)
    for path in sorted((folder / DAYS).glob("*.parquet")) if folder is not None else ():
        try:
            yield date.fromisoformat(path.stem), parquet.read_table(path, schema=usage.OF_DAY)
        except (OSError, ValueError) as problem:  # pyarrow's errors are ValueErrors, as is a name that is no date
            log.warning("%s cannot be read, and the usage of that day is not restored: %s", path, problem)


def _keep(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    kept = _Kept(
        [_View(view.name, view.description, view.statement) for view in views.every(connection)],
        [_Point(*row) for row in points.every(connection)],
    )
    content = msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n"
    path = folder / FILE
    if not path.exists() and not kept.views and not kept.points:
        return
    if not path.exists() or path.read_bytes() != content:
        draft = folder / f"{FILE}.new"
        draft.write_bytes(content)
        put_in_place(draft, path)


def _folder(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """The one that the database lies in; None for one in memory."""
    found = connection.execute("SELECT path FROM duckdb_databases() WHERE database_name = current_database()")
    ((path,),) = found.fetchall()
    return None if path is None else Path(path).parent


def _of_day(folder: Path, day: date) -> Path:
    return folder / f"{day}.parquet"
