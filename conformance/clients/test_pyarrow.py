"""Arrow speaks S3 through AWS's SDK for C++."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from pyarrow import dataset, fs, parquet

from conformance.content import MIB, noise
from conformance.server import REGION, Server


@pytest.fixture
def files(server: Server) -> fs.S3FileSystem:
    return fs.S3FileSystem(
        access_key=server.keys.access,
        secret_key=server.keys.secret,
        endpoint_override=f"{server.host}:{server.port}",
        scheme="http",
        region=REGION,
        allow_bucket_creation=True,
        allow_bucket_deletion=True,
    )


@pytest.fixture
def mine(files: fs.S3FileSystem, new_name: Callable[[str], str]) -> str:
    name = new_name("pyarrow")
    files.create_dir(name)
    return name


def test_partitioned_dataset(files: fs.S3FileSystem, mine: str) -> None:
    table = pa.table({"year": [2024, 2025, 2026] * 1000, "value": list(range(3000))})
    layout = dataset.partitioning(pa.schema([("year", pa.int64())]), flavor="hive")
    dataset.write_dataset(table, f"{mine}/table", format="parquet", partitioning=layout, filesystem=files)
    found = dataset.dataset(f"{mine}/table", filesystem=files, partitioning=layout)
    assert found.count_rows() == 3000
    assert found.to_table(filter=dataset.field("year") == 2025).num_rows == 1000


def test_large_file_is_written_in_parts_and_read_in_ranges(files: fs.S3FileSystem, mine: str) -> None:
    body = noise(21 * MIB)
    with files.open_output_stream(f"{mine}/large") as stream:
        stream.write(body)
    with files.open_input_file(f"{mine}/large") as file:
        file.seek(12 * MIB)
        assert file.read(100) == body[12 * MIB : 12 * MIB + 100]
    assert files.get_file_info(f"{mine}/large").size == len(body)


def test_parquet_file(files: fs.S3FileSystem, mine: str) -> None:
    table = pa.table({"a": list(range(100_000))})
    parquet.write_table(table, f"{mine}/a b/ü.parquet", filesystem=files)
    assert parquet.read_table(f"{mine}/a b/ü.parquet", filesystem=files).equals(table)


def test_folders(files: fs.S3FileSystem, mine: str) -> None:
    files.create_dir(f"{mine}/folder/inner")
    kinds = {info.path: info.type for info in files.get_file_info(fs.FileSelector(mine, recursive=True))}
    assert kinds[f"{mine}/folder/inner"] == fs.FileType.Directory
    files.delete_dir(f"{mine}/folder")
    files.delete_dir(mine)
    assert files.get_file_info(mine).type == fs.FileType.NotFound
