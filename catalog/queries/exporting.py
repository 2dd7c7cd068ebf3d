"""The catalog as Parquet files: a folder a view, in it a folder a bucket (bucket=NAME), as Hive has it.

Beside the views of a whole catalog lie its private tables, as of one moment: of those it can be made again.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as dataset
import pyarrow.parquet as parquet

from catalog.database.client import Reached
from catalog.database.frames import End, OfTable, Rows, Sql, Value
from catalog.errors import InvalidFilter
from catalog.placing import sync_path
from catalog.queries.points import check_bucket

VIEWS = (
    "buckets",
    "objects",
    "versions",
    "delete_markers",
    "uploads",
    "parts",
    "tags",
    "journal",
    "usage",
    "usage_daily",
    "named_points",
    "requests",
    "validations",
    "lifecycle_rules",
    "notification_rules",
)
# A row for each folder and day would be a hundred times as many as there are objects; the tables have what changed.
PARTLY = {"usage_daily": "depth <= 1"}
TABLES = "tables"
# Columns of which nearly every value is another: a dictionary of them costs a fifth of the time, and room.
_DISTINCT = {
    "key",
    "sequence_number",
    "version_id",
    "e_tag",
    "checksum_value",
    "request_id",
    "upload_id",
    "seq",
    "version_seq",
    "ended",
    "previous",
    "entry",
}
_OPEN_FILES = 64
_ROWS = 131_072  # of a row group, at least
_ON_ITS_WAY = 256 << 20  # bytes that the writer has taken in and not yet written
_PATIENCE = 0.5  # seconds; who writes nothing for so long waits for more rows


def export(catalog: Reached, target: Path, bucket: str | None = None, secrets: bool = False) -> dict[str, int]:
    """Write all of the catalog, or of a bucket, to the new folder `target`: whole or not at all; the rows of each view.

    Each view is as of one moment, and so are the tables together, of all of the catalog. With `secrets` the users are
    among those, with their secret keys. Raises InvalidFilter, QueryFailed, QueryStopped.
    """
    with new_folder(target) as folder:
        if bucket is not None:
            check_bucket(catalog, bucket)
        rows = {view: _write(catalog, view, bucket, folder / view) for view in VIEWS}
        if bucket is None:
            _write_tables(catalog, folder / TABLES, secrets)
    return rows


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name at the end, all of it on the disk; nothing is left of it on an exception.

    Raises InvalidFilter.
    """
    target = target.absolute()
    if target.exists():
        raise InvalidFilter("target", f"{target} is there already")
    if not target.parent.is_dir():
        raise InvalidFilter("target", f"there is no folder {target.parent}")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        unfinished.mkdir()
        yield unfinished
        _sync(unfinished)
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    sync_path(target.parent)


def _write(catalog: Reached, view: str, bucket: str | None, folder: Path) -> int:
    folder.mkdir(parents=True)
    given: dict[str, Value] = {} if bucket is None else {"bucket": bucket}
    condition = PARTLY.get(view, "true") + ("" if bucket is None else " AND bucket = $bucket")
    batches = arrow_batches(catalog, Sql(f"FROM {view} WHERE {condition}", parameters=given))
    schema = next(batches).schema
    counted = _Counted()
    by_bucket = dataset.partitioning(pa.schema([schema.field("bucket")]), flavor="hive")
    dataset.write_dataset(
        pa.RecordBatchReader.from_batches(schema, held_back(counted.all(batches))),
        folder,
        format="parquet",
        file_options=dataset.ParquetFileFormat().make_write_options(**options(schema)),
        basename_template="part-{i}.parquet",
        partitioning=None if view == "buckets" else by_bucket,
        max_partitions=1_000_000,
        max_open_files=_OPEN_FILES,
        min_rows_per_group=_ROWS,
    )
    return counted.rows


def _write_tables(catalog: Reached, folder: Path, secrets: bool) -> None:
    folder.mkdir()
    answers = catalog.tables(secrets)
    name = _next_table(answers)
    while name is not None:
        name = _write_table(folder / f"{name}.parquet", answers)


def _next_table(answers: Iterator[OfTable | Rows | End]) -> str | None:
    answer = next(answers)
    return answer.name if isinstance(answer, OfTable) else None


def _write_table(path: Path, answers: Iterator[OfTable | Rows | End]) -> str | None:
    """The name of the next one."""
    writer: parquet.ParquetWriter | None = None
    try:
        for answer in answers:
            if not isinstance(answer, Rows):
                return answer.name if isinstance(answer, OfTable) else None
            for batch in pa.ipc.open_stream(answer.data):
                writer = writer or parquet.ParquetWriter(path, batch.schema, **options(batch.schema))
                writer.write_batch(batch)
    finally:
        if writer is not None:
            writer.close()
    return None


def options(schema: pa.Schema) -> dict[str, Any]:
    """How Parquet is written."""
    repeated: list[str] = []
    for field in schema:
        if pa.types.is_map(field.type):
            repeated += (f"{field.name}.key_value.key", f"{field.name}.key_value.value")
        elif field.name not in _DISTINCT:
            repeated.append(field.name)
    return {"compression": "zstd", "use_dictionary": repeated}


def arrow_batches(catalog: Reached, asked: Sql) -> Iterator[pa.RecordBatch]:
    """The first has no rows, but says which columns there are."""
    for answer in catalog.sql(asked):
        if isinstance(answer, Rows):
            yield from pa.ipc.open_stream(answer.data)


def held_back(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """While a lot is on its way: pyarrow's writer takes in millions of rows, however large, before it makes one wait.

    https://arrow.apache.org/docs/cpp/api/dataset.html, "max_rows_queued"
    """
    most = pa.total_allocated_bytes() + _ON_ITS_WAY
    for batch in batches:
        yield batch
        held, since = pa.total_allocated_bytes(), time.monotonic()
        while held > most:
            time.sleep(0.002)
            before, held = held, pa.total_allocated_bytes()
            if held < before:
                since = time.monotonic()
            elif time.monotonic() - since > _PATIENCE:
                most = held + _ON_ITS_WAY


class _Counted:
    def __init__(self) -> None:
        self.rows = 0

    def all(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self.rows += batch.num_rows
            yield batch


def _sync(folder: Path) -> None:
    for path, _, names in os.walk(folder):
        for name in names:
            sync_path(Path(path, name))
        sync_path(Path(path))
