"""A bucket's inventory as S3 Inventory writes it: Parquet files, a manifest that names them, and its checksum.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as parquet

from catalog.database.client import Reached
from catalog.database.frames import Sql
from catalog.queries.exporting import arrow_batches, options
from catalog.queries.points import check_bucket

VERSION = "2016-11-30"
S3 = "s3://"
_ROWS = 2_000_000  # of a file

_TEXT, _TRUTH, _WHOLE, _TIME = pa.string(), pa.bool_(), pa.int64(), pa.timestamp("ms", "UTC")
_IN_MANIFEST = {
    _TEXT: "binary {} (UTF8)",
    _TRUTH: "boolean {}",
    _WHOLE: "int64 {}",
    _TIME: "int64 {} (TIMESTAMP_MILLIS)",
}
# S3 Inventory's names and types, and what they are in our views. Of the optional ones those that say something here.
_NAMED = [("bucket", _TEXT, "bucket"), ("key", _TEXT, "key")]
_OF_VERSIONS = [
    ("version_id", _TEXT, "nullif(version_id, 'null')"),
    ("is_latest", _TRUTH, "is_latest"),
    ("is_delete_marker", _TRUTH, "is_delete_marker"),
]
_OPTIONAL = [
    ("size", _WHOLE, "size"),
    ("last_modified_date", _TIME, "last_modified_date"),
    ("e_tag", _TEXT, "e_tag"),
    ("storage_class", _TEXT, "storage_class"),
    ("is_multipart_uploaded", _TRUTH, "is_multipart"),
    ("encryption_status", _TEXT, "encryption_status"),
    ("object_lock_retain_until_date", _TIME, "object_lock_retain_until_date"),
    ("object_lock_mode", _TEXT, "object_lock_mode"),
    ("object_lock_legal_hold_status", _TEXT, "object_lock_legal_hold_status"),
    ("checksum_algorithm", _TEXT, "checksum_algorithm"),
    ("object_owner", _TEXT, "owner"),
]


@dataclass(frozen=True)
class Inventory:
    """`files` are names below the folder, in the order in which they may be shown: what names others comes later."""

    rows: int
    files: tuple[str, ...]


class _File(msgspec.Struct):
    key: str
    size: int
    MD5checksum: str


class _Manifest(msgspec.Struct, rename="camel"):
    source_bucket: str
    destination_bucket: str
    version: str
    creation_timestamp: str
    file_format: str
    file_schema: str
    files: list[_File]


def write_inventory(catalog: Reached, bucket: str, folder: Path, destination: str, current: bool = False) -> Inventory:
    """Of all versions, or of `current` objects, as of one moment. `folder` is what will lie at `destination`, a URI.

    Raises InvalidFilter, QueryFailed, QueryStopped.
    """
    check_bucket(catalog, bucket)
    began = datetime.now(UTC)
    place = f"{bucket}/{'current' if current else 'all-versions'}"
    columns = [*_NAMED, *([] if current else _OF_VERSIONS), *_OPTIONAL]
    (folder / place / "data").mkdir(parents=True)
    asked = ", ".join(f"{expression} AS {name}" for name, _, expression in columns)
    statement = f"SELECT {asked} FROM {'objects' if current else 'versions'} WHERE bucket = $bucket"
    schema = pa.schema([pa.field(name, kind, nullable=name not in ("bucket", "key")) for name, kind, _ in columns])
    data, rows = [], 0
    for table in _tables(arrow_batches(catalog, Sql(statement, parameters={"bucket": bucket}))):
        data.append(f"{place}/data/{uuid.uuid4()}.parquet")
        rows += table.num_rows
        parquet.write_table(table.cast(schema), folder / data[-1], **options(schema))
    symlink = f"{place}/hive/dt={began:%Y-%m-%d-%H-%M}/symlink.txt"
    _write(folder / symlink, "".join(f"{destination}/{name}\n" for name in data))
    manifest = f"{place}/{began:%Y-%m-%dT%H-%MZ}/manifest.json"
    described = _manifest(bucket, destination, began, schema, folder, data)
    _write(folder / manifest, described)
    checksum = manifest.replace("manifest.json", "manifest.checksum")
    _write(folder / checksum, hashlib.md5(described.encode(), usedforsecurity=False).hexdigest())
    return Inventory(rows, (*data, symlink, manifest, checksum))


def _tables(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """What goes into a file each; one without rows, if there are none."""
    held = [next(batches)]
    for batch in batches:
        if sum(each.num_rows for each in held) >= _ROWS:
            yield pa.Table.from_batches(held)
            held = []
        held.append(batch)
    yield pa.Table.from_batches(held)


def _manifest(bucket: str, destination: str, began: datetime, schema: pa.Schema, folder: Path, data: list[str]) -> str:
    """Keys are whole in a bucket, and names below the folder elsewhere."""
    where, prefix = destination, ""
    if destination.startswith(S3):
        name, _, prefix = destination.removeprefix(S3).partition("/")
        where, prefix = f"arn:aws:s3:::{name}", f"{prefix}/" if prefix else ""
    fields = [
        f"{'optional' if field.nullable else 'required'} {_IN_MANIFEST[field.type].format(field.name)};"
        for field in schema
    ]
    manifest = _Manifest(
        bucket,
        where,
        VERSION,
        str(int(began.timestamp() * 1000)),
        "Parquet",
        f"message s3.inventory {{ {' '.join(fields)} }}",
        [_File(prefix + name, (folder / name).stat().st_size, _md5(folder / name)) for name in data],
    )
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2).decode()


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
