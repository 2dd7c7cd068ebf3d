"""The Parquet files of requests that were served: requests/day=YYYY-MM-DD/FIRST-LAST.parquet, compressed with zstd.

Each time rows are taken from the workers they get a number, greater than any before. A file bears the numbers of the
first and the last that are in it. One that was made of several is there at once, and those are void by its name: whose
numbers lie between another's of the day.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple, get_type_hints

import msgspec
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from catalog.database.columns import SHORT, TEXT, WHOLE, Row, schema
from catalog.placing import sync_path
from catalog.requests import Served, frames

ROWS = 16_384  # that are looked at in one go: 30 ms of work

_TIME = pa.timestamp("us")
COLUMNS = schema(
    time=_TIME,
    request_id=TEXT,
    requester=TEXT,
    remote_ip=TEXT,
    operation=TEXT,
    bucket_id=WHOLE,
    bucket=TEXT,
    key=TEXT,
    version_id=TEXT,
    http_status=SHORT,
    error_code=TEXT,
    bytes_sent=WHOLE,
    bytes_received=WHOLE,
    total_time=pa.float64(),
    turn_around_time=pa.float64(),
    referer=TEXT,
    user_agent=TEXT,
)
assert tuple(COLUMNS.names) == Served._fields

_SQL = {TEXT: "VARCHAR", WHOLE: "BIGINT", SHORT: "INTEGER", _TIME: "TIMESTAMP", pa.float64(): "DOUBLE"}
# Of the others a dictionary would be as long as they are.
_REPEATED = [name for name in COLUMNS.names if name not in ("time", "request_id", "total_time", "turn_around_time")]
_EPOCH = date(1970, 1, 1)
_DAY = timedelta(days=1)

_decode: Callable[[bytes], list[Row]] = msgspec.msgpack.Decoder(
    list[tuple[tuple(get_type_hints(Served).values())]]  # type: ignore[misc]
).decode

log = logging.getLogger(__name__)


class File(NamedTuple):
    day: date
    first: int
    last: int
    path: Path
    size: int


def every(folder: Path) -> list[File]:
    """By day and number; of two that begin alike the one that holds more is first."""
    found = []
    for path in folder.glob("day=*/*.parquet"):
        with suppress(ValueError, FileNotFoundError):
            first, _, last = path.stem.partition("-")
            day = date.fromisoformat(path.parent.name.removeprefix("day="))
            found.append(File(day, int(first, 16), int(last, 16), path, path.stat().st_size))
    return sorted(found, key=lambda file: (file.day, file.first, -file.last))


def valid(folder: Path) -> tuple[list[File], list[File]]:
    """Those that count, and those that are void."""
    files: list[File] = []
    void: list[File] = []
    for file in every(folder):
        covered = files and files[-1].day == file.day and file.last <= files[-1].last
        (void if covered else files).append(file)
    return files, void


def tidy(folder: Path) -> None:
    """Remove what was not finished, and set aside what cannot be read: one damaged file is not to cost the others."""
    for path in folder.glob("day=*/*.new"):
        path.unlink()
    for file in every(folder):
        try:
            parquet.read_metadata(file.path)
        except (OSError, pa.ArrowException) as problem:
            file.path.rename(file.path.with_suffix(".damaged"))
            log.warning("%s cannot be read and is set aside: %s", file.path, problem)


def reading(files: list[File]) -> str:
    """A query over the rows of all, with a column `day`."""
    if not files:
        none = ", ".join(f"NULL::{_SQL[field.type]} AS {field.name}" for field in COLUMNS)
        return f"SELECT {none}, NULL::DATE AS day WHERE false"
    paths = ", ".join(f"'{_quoted(file.path)}'" for file in files)
    return f"FROM read_parquet([{paths}], hive_partitioning = true, hive_types = {{'day': DATE}})"


def tables(path: Path) -> Iterator[pa.Table]:
    """What a worker's file holds, as far as it is whole."""
    rows: list[Row] = []
    for frame in frames(path):
        try:
            rows += _decode(frame)
        except msgspec.DecodeError as problem:
            log.warning("%s has requests that cannot be read: %s", path, problem)
        if len(rows) >= ROWS:
            yield _table(rows)
            rows = []
    if rows:
        yield _table(rows)


def read(files: list[File]) -> Iterator[pa.Table]:
    for file in files:
        with parquet.ParquetFile(file.path) as source:
            for batch in source.iter_batches(ROWS):
                yield pa.Table.from_batches([batch], COLUMNS)


def write(folder: Path, source: Iterable[pa.Table], first: int, last: int) -> Generator[None]:
    """A file for each day of the rows; pauses between pieces of work. Broken off, it leaves nothing."""
    drafts = _Drafts(folder, f"{first:016x}-{last:016x}")
    try:
        for table in source:
            drafts.add(table)
            yield
        drafts.finish()
    finally:
        drafts.drop()


class _Drafts:
    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._writers: dict[int, tuple[Path, parquet.ParquetWriter]] = {}

    def add(self, table: pa.Table) -> None:
        days = compute.cast(compute.floor_temporal(table["time"], unit="day"), pa.date32()).cast(pa.int32())
        for day in compute.unique(days).to_pylist():
            self._writer(day).write_table(table.filter(compute.equal(days, day)))

    def _writer(self, day: int) -> parquet.ParquetWriter:
        if day not in self._writers:
            path = self._folder / f"day={_EPOCH + day * _DAY}" / f"{self._name}.new"
            path.parent.mkdir(mode=0o700, exist_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            writer = parquet.ParquetWriter(path, COLUMNS, compression="zstd", use_dictionary=_REPEATED)
            self._writers[day] = path, writer
        return self._writers[day][1]

    def finish(self) -> None:
        """On the disk before it has its name: a query would fail on half a file."""
        for path, writer in self._writers.values():
            writer.close()
            sync_path(path)
        for path, _ in self._writers.values():
            path.rename(path.with_suffix(".parquet"))
            sync_path(path.parent)
        self._writers = {}

    def drop(self) -> None:
        for path, writer in self._writers.values():
            with suppress(OSError, pa.ArrowException):
                writer.close()
            path.unlink(missing_ok=True)


def _table(rows: list[Row]) -> pa.Table:
    """Time comes as seconds."""
    times, *others = zip(*rows, strict=True)
    seconds = compute.multiply(pa.array(times, pa.float64()), 1e6)
    arrays = [compute.round(seconds).cast(pa.int64()).cast(_TIME)]
    arrays += [pa.array(values, kind) for values, kind in zip(others, COLUMNS.types[1:], strict=True)]
    return pa.Table.from_arrays(arrays, schema=COLUMNS)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
