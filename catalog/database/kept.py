"""What the database alone knows, kept in files beside it: the operator's views, named points, usage day by day, and
of each bucket what its last scrub came to.

A database that is lost is made anew of the key index, which knows none of this. As long as there is one, it is right.
Each file says of which catalog it is, by a digest: the id itself is for its log alone.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as parquet

from catalog.database.frames import KeepValidations
from catalog.database.tables import applied, points, usage, validations, views
from catalog.database.views import define_own
from catalog.errors import QueryFailed
from catalog.placing import put_in_place, sync_path

FILE = "kept.json"
DAYS = "usage"  # a folder, in it a file a day
VALIDATIONS = "validations"  # a folder, in it a file a bucket
_MOST_DAYS = 20  # written at a time, for the applier waits
_MOST_VALIDATIONS = 1000  # of a bucket: what passed, and so many findings
_OF_NO_BUCKET = "folder"
_BUCKETS = "SELECT id FROM private.buckets"
_CATALOG = "catalog"  # the key, in a Parquet file's own, of what _File has
_FOREIGN = "%s is of another catalog, and what it keeps is not restored"

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


class _File(msgspec.Struct):
    catalog: str


class _Kept(_File):
    """Views in the order in which they were added."""

    views: list[_View]
    points: list[_Point]


class _Validated(_File):
    at: datetime
    given: KeepValidations


File = TypeVar("File", bound=_File)


def keep(connection: duckdb.DuckDBPyConnection) -> None:
    """Views and points as they are; nothing is written where the file says so already. Raises QueryFailed."""
    folder = _folder(connection)
    if folder is not None:
        try:
            with _keeping:
                _keep(connection, folder)
        except OSError as problem:
            raise QueryFailed(f"it is done, but {folder / FILE}, where it is to be kept, says: {problem}") from None


def keep_validations(connection: duckdb.DuckDBPyConnection, given: KeepValidations) -> None:
    """See `validations.keep`. What is `more` of the same goes to the database only. Raises QueryFailed."""
    now = datetime.now(UTC).replace(tzinfo=None)
    validations.keep(connection, given, now)
    folder = _folder(connection)
    if folder is not None and not given.more:
        few = msgspec.structs.replace(given, validations=given.validations[:_MOST_VALIDATIONS])
        path = folder / VALIDATIONS / f"{_OF_NO_BUCKET if given.bucket_id is None else given.bucket_id}.json"
        try:
            _write(path, msgspec.json.encode(_Validated(_mark(connection), now, few)))
        except OSError as problem:
            raise QueryFailed(f"it is done, but {path}, where it is to be kept, says: {problem}") from None


def forget_validations(connection: duckdb.DuckDBPyConnection) -> None:
    """Of buckets that are gone."""
    folder = _folder(connection)
    if folder is not None:
        there = {_OF_NO_BUCKET, *(str(number) for (number,) in connection.execute(_BUCKETS).fetchall())}
        for path in (folder / VALIDATIONS).glob("*.json"):
            if path.stem not in there:
                path.unlink(missing_ok=True)


def restore(connection: duckdb.DuckDBPyConnection, catalog_id: bytes) -> None:
    """Give them to the catalog's database, which was never filled. Rows that a view had stored are not among them."""
    folder = _folder(connection)
    if folder is None:
        return
    mark = _digest(catalog_id)
    kept = _read(folder / FILE, _Kept, mark)
    if kept is not None:
        known = views.names(connection)
        for view in kept.views:
            if view.name not in known:
                views.add(connection, views.Row(view.name, view.description, view.statement, None))
        points.replace(connection, [(each.bucket_id, each.name, each.seq, each.created) for each in kept.points])
        define_own(connection)
    found = [_read(path, _Validated, mark) for path in (folder / VALIDATIONS).glob("*.json")]
    for each in sorted((each for each in found if each is not None), key=lambda each: each.at):
        validations.keep(connection, each.given, each.at)


def keep_days(connection: duckdb.DuckDBPyConnection, today: date) -> bool:
    """Write a file for days that are over and have none; whether that was all of them."""
    folder = _folder(connection)
    if folder is None:
        return True
    folder = folder / DAYS
    lacking = [day for day in usage.days_before(connection, today) if not _of_day(folder, day).exists()]
    for day in lacking[:_MOST_DAYS]:
        _make(folder)
        draft = folder / f"{day}.new"
        changes = usage.of_day(connection, day).replace_schema_metadata({_CATALOG: _mark(connection)})
        parquet.write_table(changes, draft, compression="zstd")
        put_in_place(draft, _of_day(folder, day))
    return len(lacking) <= _MOST_DAYS


def days(connection: duckdb.DuckDBPyConnection, catalog_id: bytes) -> Iterator[tuple[date, pa.Table]]:
    """What `keep_days` wrote, as far as it can be read."""
    folder = _folder(connection)
    for path in sorted((folder / DAYS).glob("*.parquet")) if folder is not None else ():
        try:
            found = parquet.read_table(path)
            if (found.schema.metadata or {}).get(_CATALOG.encode()) == _digest(catalog_id).encode():
                yield date.fromisoformat(path.stem), found.cast(usage.OF_DAY)
            else:
                log.warning(_FOREIGN, path)
        except (OSError, ValueError) as problem:  # pyarrow's errors are ValueErrors, as is a name that is no date
            log.warning("%s cannot be read, and the usage of that day is not restored: %s", path, problem)


def _keep(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    kept = _Kept(
        _mark(connection),
        [_View(view.name, view.description, view.statement) for view in views.every(connection)],
        [_Point(*row) for row in points.every(connection)],
    )
    content = msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n"
    path = folder / FILE
    if not path.exists() and not kept.views and not kept.points:
        return
    if not path.exists() or path.read_bytes() != content:
        _write(path, content)


def _read(path: Path, kind: type[File], mark: str) -> File | None:
    """None where there is nothing that can be believed, which is told of."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as problem:
        log.warning("%s cannot be read, and what it keeps is not restored: %s", path, problem)
        return None
    if found.catalog != mark:
        log.warning(_FOREIGN, path)
        return None
    return found


def _write(path: Path, content: bytes) -> None:
    _make(path.parent)
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(content)
    put_in_place(draft, path)


def _make(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir()
        sync_path(folder.parent)


def _mark(connection: duckdb.DuckDBPyConnection) -> str:
    return _digest(applied.identity(connection) or b"")


def _digest(catalog_id: bytes) -> str:
    return hashlib.blake2b(catalog_id, digest_size=16).hexdigest()


def _folder(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """The one that the database lies in; None for one in memory."""
    found = connection.execute("SELECT path FROM duckdb_databases() WHERE database_name = current_database()")
    ((path,),) = found.fetchall()
    return None if path is None else Path(path).parent


def _of_day(folder: Path, day: date) -> Path:
    return folder / f"{day}.parquet"
