from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from catalog import Catalog
from catalog.errors import NoBucket, StorageFull
from catalog.records import Origin, Version
from gateway.publishing import publish

SMALL, LARGE = b"small", os.urandom(300_000)


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    catalog = Catalog.open(tmp_path / "data")
    await catalog.create_bucket(Origin(), "b", "alice", "us-east-1")
    await catalog.close()
    (tmp_path / "files" / "deep").mkdir(parents=True)
    (tmp_path / "files" / "deep" / "large.parquet").write_bytes(LARGE)
    (tmp_path / "files" / "manifest.json").write_bytes(SMALL)
    return tmp_path / "data"


def held(data: Path) -> dict[str, Version]:
    catalog = Catalog.open(data)
    try:
        bucket = catalog.bucket("b")
        return {key: catalog.get(bucket, key) for key in catalog.list_objects(bucket).keys}
    finally:
        catalog.release()


async def test_files_are_objects_like_any_other(data: Path, tmp_path: Path) -> None:
    await publish(data, "b", "in/", tmp_path / "files", ["deep/large.parquet", "manifest.json"])
    found = held(data)
    large, small = found["in/deep/large.parquet"], found["in/manifest.json"]
    assert (large.size, large.etag) == (len(LARGE), hashlib.md5(LARGE).hexdigest())
    assert large.body is not None and large.body.blob is not None
    name = large.body.blob.hex()
    assert (data / "blobs" / name[:2] / name).read_bytes()[: len(LARGE)] == LARGE
    assert (small.etag, small.owner, small.content_type) == (
        hashlib.md5(SMALL).hexdigest(),
        "alice",
        "application/json",
    )
    assert large.checksum is not None and large.checksum.algorithm == "CRC64NVME"
    assert large.seq < small.seq


async def test_what_comes_last_is_not_there_before_the_rest(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "files" / "more").write_bytes(LARGE)
    put = Catalog.put

    async def full(self: Catalog, origin: Origin, bucket: object, key: str, *more: object, **named: object) -> object:
        if key == "more":
            raise StorageFull("the disk")
        return await put(self, origin, bucket, key, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Catalog, "put", full)
    with pytest.raises(StorageFull):
        await publish(data, "b", "", tmp_path / "files", ["deep/large.parquet", "more", "manifest.json"])
    assert list(held(data)) == ["deep/large.parquet"]
    # Of the one that failed nothing is left.
    assert sum(1 for _ in (data / "blobs").glob("*/*")) == 1
    assert list((data / "tmp").iterdir()) == []


async def test_there_has_to_be_the_bucket(data: Path, tmp_path: Path) -> None:
    with pytest.raises(NoBucket):
        await publish(data, "other", "", tmp_path / "files", ["manifest.json"])
