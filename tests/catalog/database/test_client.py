from __future__ import annotations

import asyncio
import random
from pathlib import Path

import msgspec
import pytest

from catalog import Catalog
from catalog.database import client
from catalog.errors import CatalogUnusable, QueryRefused, QueryStopped
from catalog.records import Bucket, Origin, Part, Upload, Version

ORIGIN = Origin("root", "127.0.0.1", "REQ")
DRAFT = Version(0, "", 0, "5d41402abc4b2a76b9719d911017c592", 5, "STANDARD", "root")
ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b"


async def test_without_the_process_the_same_questions_are_answered(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    await asyncio.gather(*(catalog.put(ORIGIN, bucket, f"k{number}", DRAFT) for number in range(10)))
    await catalog.close()
    assert client.query(tmp_path, "SELECT count(*) FROM objects").rows == [(10,)]
    assert client.sync(tmp_path).seq == 11
    assert client.status(tmp_path).rows["objects"] == 10
    with pytest.raises(QueryRefused):
        client.query(tmp_path, "DELETE FROM objects")
    with pytest.raises(QueryStopped):
        client.query(tmp_path, ENDLESS, 0.2)


def test_a_folder_that_is_no_catalog_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnusable, match="no catalog"):
        client.query(tmp_path, "SELECT 1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(4))
async def test_database_and_index_agree_on_what_there_is(tmp_path: Path, seed: int) -> None:
    catalog = Catalog.open(tmp_path)
    await live(catalog, random.Random(seed))
    buckets = catalog.buckets(None)
    versions = [
        (bucket.name, held.key, held.seq, held.version_id, held.latest, held.delete_marker)
        for bucket in buckets
        for held in catalog.list_versions(bucket, limit=10_000).items
    ]
    objects = [(b.name, key, catalog.get(b, key).seq) for b in buckets for key in catalog.list_objects(b).keys]
    uploads = [(bucket.name, u.key, u.upload_id) for bucket in buckets for u in catalog.list_uploads(bucket).items]
    await catalog.close()
    columns = "bucket, key, seq, version_id, is_latest, is_delete_marker"
    found = client.query(tmp_path, f"SELECT {columns} FROM versions ORDER BY bucket, key, seq DESC").rows
    assert found == versions and len(found) > 20
    assert client.query(tmp_path, "SELECT bucket, key, seq FROM objects ORDER BY bucket, key").rows == objects
    assert sorted(client.query(tmp_path, "SELECT bucket, key, upload_id FROM uploads").rows) == sorted(uploads)


async def live(catalog: Catalog, chance: random.Random) -> None:
    """A few hundred random writes to three buckets, each with its own versioning."""
    for name in ("never", "enabled", "wavering"):
        await catalog.create_bucket(ORIGIN, name, "root", "us-east-1")
    await versioning(catalog, "enabled", "Enabled")
    for _ in range(300):
        bucket = catalog.bucket(chance.choice(["never", "enabled", "wavering"]))
        key = f"k{chance.randrange(12)}"
        match chance.randrange(10):
            case 0:
                await versioning(catalog, "wavering", chance.choice(["Enabled", "Suspended"]))
            case 1 | 2 | 3 | 4:
                await catalog.put(ORIGIN, bucket, key, DRAFT)
            case 5 | 6:
                await catalog.delete(ORIGIN, bucket, key)
            case 7 | 8:
                held = catalog.list_versions(bucket).items
                if held:
                    version = chance.choice(held)
                    await catalog.delete(ORIGIN, bucket, version.key, version.version_id)
            case 9:
                await multipart(catalog, bucket, key, finish=chance.random() < 0.5)


async def versioning(catalog: Catalog, name: str, state: str) -> None:
    await catalog.update_bucket(ORIGIN, name, lambda held: msgspec.structs.replace(held, versioning=state))


async def multipart(catalog: Catalog, bucket: Bucket, key: str, finish: bool) -> None:
    upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, key, 0, "root"))
    part = await catalog.put_part(ORIGIN, bucket, key, upload.upload_id, Part(1, 4, "e", 0, None), b"part")
    if finish:
        draft = msgspec.structs.replace(DRAFT, parts=[part])
        await catalog.put(ORIGIN, bucket, key, draft, upload_id=upload.upload_id)
