"""`ducket db export --inventory` into a bucket of the server itself, read back as S3 Inventory's readers do."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from catalog.database.client import query
from conformance.server import ducket, environment, run_command, running


def fill(s3: Any) -> None:
    for bucket in ("source", "reports"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket="source", VersioningConfiguration={"Status": "Enabled"})
    for number in range(3000):
        s3.put_object(Bucket="source", Key=f"k/{number % 2500:04} ü&", Body=b"x" * (number % 7))
    s3.delete_object(Bucket="source", Key="k/0001 ü&")


def inventory(s3: Any, prefix: str) -> list[dict[str, Any]]:
    """By the checksum, the manifest and the files that it names, each held against what is said of it."""
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="reports", Prefix=prefix)["Contents"]]
    (checksum,) = [key for key in keys if key.endswith("manifest.checksum")]

    def read(key: str) -> bytes:
        body: bytes = s3.get_object(Bucket="reports", Key=key)["Body"].read()
        return body

    described = read(checksum.replace("manifest.checksum", "manifest.json"))
    assert hashlib.md5(described).hexdigest().encode() == read(checksum)
    rows = []
    for file in json.loads(described)["files"]:
        content = read(file["key"])
        assert (len(content), hashlib.md5(content).hexdigest()) == (file["size"], file["MD5checksum"])
        rows += parquet.read_table(io.BytesIO(content)).to_pylist()
    (symlink,) = [key for key in keys if key.endswith("symlink.txt")]
    assert read(symlink).decode().splitlines() == [
        f"s3://reports/{each['key']}" for each in json.loads(described)["files"]
    ]
    return rows


def listed(s3: Any) -> list[tuple[Any, ...]]:
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket="source"):
        found += [
            (each["Key"], each["VersionId"], each["IsLatest"], False, each["Size"], each["ETag"].strip('"'))
            for each in page.get("Versions", [])
        ]
        found += [
            (each["Key"], each["VersionId"], each["IsLatest"], True, None, None)
            for each in page.get("DeleteMarkers", [])
        ]
    return sorted(found, key=repr)


def shown(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("key", "version_id", "is_latest", "is_delete_marker", "size", "e_tag")
    return sorted((tuple(row[name] for name in names) for row in rows), key=repr)


def test_an_inventory_says_what_listing_says(tmp_path: Path) -> None:
    data = tmp_path / "data"
    export = ("db", "export", "--inventory", "--bucket", "source", "--data", str(data))
    with running(data, "--workers", "1") as server:
        s3 = server.client()
        fill(s3)
        assert "3,001 rows" in run_command(*export, "--to", "s3://reports/daily/")
        assert shown(inventory(s3, "daily/source/all-versions/")) == listed(s3)
        run_command(*export, "--to", "s3://reports", "--current")
        current = inventory(s3, "source/current/")
        assert len(current) == 2499 and "version_id" not in current[0]
        head = s3.head_object(Bucket="reports", Key=json.loads(manifest(s3))["files"][0]["key"], ChecksumMode="ENABLED")
        assert head["ChecksumCRC64NVME"] and head["ContentType"] == "application/vnd.apache.parquet"
    # Without a server too, and to a folder.
    run_command(*export, "--to", "s3://reports/stopped")
    run_command(*export, str(tmp_path / "out"))
    with running(data, "--workers", "1") as server:
        s3 = server.client()
        assert shown(inventory(s3, "stopped/")) == listed(s3)
    (local,) = (tmp_path / "out").rglob("manifest.json")
    (file,) = json.loads(local.read_text())["files"]
    assert parquet.read_table(tmp_path / "out" / file["key"]).num_rows == 3001
    assert json.loads(run_command("scrub", "--json", "--data", str(data)))["findings"] == []


def manifest(s3: Any) -> bytes:
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="reports", Prefix="daily/")["Contents"]]
    (key,) = [key for key in keys if key.endswith("manifest.json")]
    body: bytes = s3.get_object(Bucket="reports", Key=key)["Body"].read()
    return body


@pytest.mark.parametrize(
    "arguments, why",
    [
        (("--inventory", "--bucket", "bbb", "--to", "s3://nowhere/p"), "there is no bucket nowhere"),
        (("--inventory", "--bucket", "nowhere", "--to", "s3://bbb/p"), "there is no bucket nowhere"),
        (("--inventory", "--bucket", "bbb", "--to", "https://b/p"), "is not of the form"),
        (("--inventory", "--to", "s3://bbb/p"), "--bucket B"),
        (("--inventory", "--bucket", "bbb"), "name a FOLDER"),
        (("--inventory", "--bucket", "bbb", "out", "--to", "s3://bbb/p"), "name a FOLDER"),
        (("--to", "s3://bbb/p", "--secrets"), "--secrets is for"),
        (("--to", "s3://nowhere/p"), "there is no bucket nowhere"),
        (("--current", "out"), "--current is for"),
        (("--secrets", "--bucket", "bbb", "out"), "--secrets is for"),
    ],
)
def test_what_makes_no_sense_is_refused(data: Path, arguments: tuple[str, ...], why: str) -> None:
    command = ducket("db", "export", *arguments, "--data", str(data))
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=data.parent)
    assert done.returncode == 1 and why in done.stderr
    assert not (data.parent / "out").exists()


def test_a_whole_catalog_in_a_bucket(data: Path) -> None:
    export = ("db", "export", "--to", "s3://bbb/whole", "--data", str(data))
    with running(data, "--workers", "1") as server:
        s3 = server.client()
        s3.put_object(Bucket="bbb", Key="k", Body=bytes(100_000))
        run_command(*export)
        listed = s3.list_objects_v2(Bucket="bbb", Prefix="whole/")["Contents"]
        marks = "SELECT key FROM objects WHERE key LIKE 'whole/%' ORDER BY seq DESC LIMIT 1"
        assert query(data, marks).rows == [("whole/_SUCCESS",)]
        body = s3.get_object(Bucket="bbb", Key="whole/objects/bucket=bbb/part-0.parquet")["Body"].read()
        assert parquet.read_table(io.BytesIO(body))["key"].to_pylist() == ["k"]
        assert "whole/tables/objects.parquet" in [each["Key"] for each in listed]
        again = subprocess.run(ducket(*export), capture_output=True, text=True, env=environment())
        assert again.returncode == 1 and "name a new prefix" in again.stderr
        assert s3.list_objects_v2(Bucket="bbb", Prefix="whole/")["Contents"] == listed


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("inventory") / "data"
    with running(data, "--workers", "1") as server:
        server.client().create_bucket(Bucket="bbb")
    return data
