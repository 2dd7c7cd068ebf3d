from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from catalog.errors import InvalidFilter
from catalog.queries import Reached, write_inventory
from catalog.queries import inventory as module

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
FIELDS = (
    "optional int64 size; optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary e_tag (UTF8); "
    "optional binary storage_class (UTF8); optional boolean is_multipart_uploaded; "
    "optional binary encryption_status (UTF8); optional int64 object_lock_retain_until_date (TIMESTAMP_MILLIS); "
    "optional binary object_lock_mode (UTF8); optional binary object_lock_legal_hold_status (UTF8); "
    "optional binary checksum_algorithm (UTF8); "
    "optional binary object_owner (UTF8);"
)
NAMED = "required binary bucket (UTF8); required binary key (UTF8);"
VERSIONED = "optional binary version_id (UTF8); optional boolean is_latest; optional boolean is_delete_marker;"


def rows(folder: Path, files: list[str]) -> pa.Table:
    return pa.concat_tables([parquet.read_table(folder / name) for name in files])


def test_all_versions_with_the_names_and_types_of_s3(catalog: Reached, tmp_path: Path) -> None:
    before = datetime.now(UTC).timestamp() * 1000
    found = write_inventory(catalog, "photos", tmp_path, "s3://reports/daily")
    data, symlink, manifest_name, checksum = found.files
    manifest = json.loads((tmp_path / manifest_name).read_text())
    assert before <= int(manifest.pop("creationTimestamp")) <= datetime.now(UTC).timestamp() * 1000
    assert manifest == {
        "sourceBucket": "photos",
        "destinationBucket": "arn:aws:s3:::reports",
        "version": "2016-11-30",
        "fileFormat": "Parquet",
        "fileSchema": f"message s3.inventory {{ {NAMED} {VERSIONED} {FIELDS} }}",
        "files": [
            {
                "key": f"daily/{data}",
                "size": (tmp_path / data).stat().st_size,
                "MD5checksum": hashlib.md5((tmp_path / data).read_bytes()).hexdigest(),
            }
        ],
    }
    assert (tmp_path / checksum).read_text() == hashlib.md5((tmp_path / manifest_name).read_bytes()).hexdigest()
    assert (tmp_path / symlink).read_text() == f"s3://reports/daily/{data}\n"
    table = rows(tmp_path, [data])
    assert found.rows == table.num_rows == 7
    by_size = sorted(table.to_pylist(), key=lambda row: (row["key"], row["size"] or 0))
    (marker,) = [row for row in by_size if row["is_delete_marker"]]
    assert marker["key"] == "2025/dog.jpg" and marker["is_latest"] and marker["size"] is marker["e_tag"] is None
    assert [(row["key"], row["size"], row["is_latest"]) for row in by_size if row["key"].startswith("2025/cat")] == [
        ("2025/cat.jpg", 100, False),
        ("2025/cat.jpg", 300, True),
    ]
    assert {row["encryption_status"] for row in by_size} == {"NOT-SSE", None}
    assert marker["encryption_status"] is None
    assert all(len(row["version_id"]) == 32 and row["object_owner"] == "o" for row in by_size)


def test_the_schema_in_the_file_is_the_one_in_the_manifest(catalog: Reached, tmp_path: Path) -> None:
    data = write_inventory(catalog, "photos", tmp_path, "s3://reports").files[0]
    columns = [parquet.ParquetFile(tmp_path / data).schema.column(at) for at in range(13)]
    described = {
        column.name: (column.physical_type, str(column.logical_type.type), column.max_definition_level)
        for column in columns
    }
    assert described["key"] == ("BYTE_ARRAY", "STRING", 0)
    assert described["version_id"] == ("BYTE_ARRAY", "STRING", 1)
    assert described["is_latest"] == ("BOOLEAN", "NONE", 1)
    assert described["size"] == ("INT64", "NONE", 1)
    assert described["last_modified_date"] == ("INT64", "TIMESTAMP", 1)
    times = parquet.read_table(tmp_path / data)["last_modified_date"]
    assert times.type == pa.timestamp("ms", "UTC")
    first = min(times.to_pylist())
    assert first == datetime(2025, 10, 9, 9, 53, 20, tzinfo=UTC)


def test_current_objects_alone_have_no_columns_of_versions(catalog: Reached, tmp_path: Path) -> None:
    found = write_inventory(catalog, "photos", tmp_path, "file:///elsewhere", current=True)
    manifest = json.loads((tmp_path / found.files[-2]).read_text())
    assert manifest["fileSchema"] == f"message s3.inventory {{ {NAMED} {FIELDS} }}"
    # Elsewhere than in a bucket, keys are names below the folder.
    assert manifest["destinationBucket"] == "file:///elsewhere"
    assert [each["key"] for each in manifest["files"]] == [found.files[0]]
    table = rows(tmp_path, [found.files[0]])
    assert sorted(table["key"].to_pylist()) == ["2024/old/cow.png", "2025/cat.jpg", "copy.jpg", "empty"]
    assert "version_id" not in table.column_names
    null = write_inventory(catalog, "logs", tmp_path, "s3://reports")
    assert rows(tmp_path, [null.files[0]])["version_id"].to_pylist() == [None]


def test_many_rows_are_several_files(catalog: Reached, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS", 0)
    found = write_inventory(catalog, "photos", tmp_path, "s3://reports")
    data = [name for name in found.files if name.endswith(".parquet")]
    assert len(data) > 1
    manifest = json.loads((tmp_path / found.files[-2]).read_text())
    assert [each["key"] for each in manifest["files"]] == data
    assert (tmp_path / found.files[-3]).read_text().splitlines() == [f"s3://reports/{name}" for name in data]
    files = [str(tmp_path / name) for name in data]
    assert duckdb.sql("SELECT count(*) FROM read_parquet($files)", params={"files": files}).fetchall() == [(7,)]


def test_a_bucket_that_is_not_there_or_empty(catalog: Reached, tmp_path: Path) -> None:
    with pytest.raises(InvalidFilter):
        write_inventory(catalog, "nowhere", tmp_path, "s3://reports")
    assert list(tmp_path.iterdir()) == []
