from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from minio import Minio, S3Error
from minio.commonconfig import COMPLIANCE, ENABLED, GOVERNANCE, ComposeSource, CopySource, Tags
from minio.deleteobjects import DeleteObject
from minio.objectlockconfig import DAYS, ObjectLockConfig
from minio.retention import Retention
from minio.versioningconfig import VersioningConfig

from conformance.clients.tree import ODD_NAMES
from conformance.content import MIB, etag, noise
from conformance.server import Server


@pytest.fixture
def minio(server: Server) -> Minio:
    return Minio(
        f"{server.host}:{server.port}",
        access_key=server.keys.access,
        secret_key=server.keys.secret,
        secure=False,
        http_client=urllib3.PoolManager(retries=False),
    )


@pytest.fixture
def mine(minio: Minio, new_name: Callable[[str], str]) -> str:
    name = new_name("minio")
    minio.make_bucket(name)
    return name


def put(minio: Minio, bucket: str, key: str, body: bytes, **options: Any) -> Any:
    return minio.put_object(bucket, key, io.BytesIO(body), len(body), **options)


def read(minio: Minio, bucket: str, key: str, **options: Any) -> bytes:
    response = minio.get_object(bucket, key, **options)
    try:
        return bytes(response.read())
    finally:
        response.close()
        response.release_conn()


def test_objects_with_odd_names(minio: Minio, mine: str) -> None:
    for name in ODD_NAMES:
        assert put(minio, mine, f"a folder/{name}", name.encode()).etag == etag(name.encode()).strip('"')
    listed = [found.object_name for found in minio.list_objects(mine, recursive=True)]
    assert listed == sorted((f"a folder/{name}" for name in ODD_NAMES), key=str.encode)
    assert [found.object_name for found in minio.list_objects(mine)] == ["a folder/"]
    for name in ODD_NAMES:
        assert read(minio, mine, f"a folder/{name}") == name.encode()
    named = [DeleteObject(name) for name in listed if name]
    assert list(minio.remove_objects(mine, named)) == []
    minio.remove_bucket(mine)
    assert not minio.bucket_exists(mine)


def test_files_in_parts(minio: Minio, mine: str, tree: Path, tmp_path: Path) -> None:
    minio.fput_object(mine, "large", str(tree / "large.bin"), part_size=5 * MIB)
    found = minio.stat_object(mine, "large")
    assert (found.size, (found.etag or "").endswith("-4")) == ((tree / "large.bin").stat().st_size, True)
    minio.fget_object(mine, "large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tree / "large.bin").read_bytes()
    assert (
        read(minio, mine, "large", offset=5 * MIB - 3, length=6)
        == (tree / "large.bin").read_bytes()[5 * MIB - 3 : 5 * MIB + 3]
    )


def test_stream_of_unknown_length(minio: Minio, mine: str) -> None:
    body = noise(11 * MIB)
    minio.put_object(mine, "stream", io.BytesIO(body), -1, part_size=5 * MIB)
    assert read(minio, mine, "stream") == body


def test_metadata_and_tags(minio: Minio, mine: str) -> None:
    tags = Tags.new_object_tags()
    tags["team"] = "storage"
    put(minio, mine, "key", b"x", metadata={"colour": "blue"}, tags=tags, content_type="text/plain")
    found = minio.stat_object(mine, "key")
    assert found.metadata is not None
    assert (found.metadata["x-amz-meta-colour"], found.content_type) == ("blue", "text/plain")
    assert minio.get_object_tags(mine, "key") == {"team": "storage"}
    minio.delete_object_tags(mine, "key")
    assert minio.get_object_tags(mine, "key") is None


def test_copy_and_compose(minio: Minio, mine: str) -> None:
    first, second = noise(5 * MIB, 1), noise(100, 2)
    put(minio, mine, "first", first)
    put(minio, mine, "second", second)
    minio.copy_object(mine, "copied", CopySource(mine, "second"))
    assert read(minio, mine, "copied") == second
    minio.compose_object(mine, "both", [ComposeSource(mine, "first"), ComposeSource(mine, "second")])
    assert read(minio, mine, "both") == first + second


def test_presigned_links(minio: Minio, mine: str, fetch: Callable[[str], bytes]) -> None:
    link = minio.presigned_put_object(mine, "a b", expires=timedelta(hours=1))
    assert urllib3.request("PUT", link, body=b"by link").status == 200
    assert fetch(minio.presigned_get_object(mine, "a b")) == b"by link"


def test_versions(minio: Minio, mine: str) -> None:
    minio.set_bucket_versioning(mine, VersioningConfig(ENABLED))
    ids = [put(minio, mine, "key", body).version_id for body in (b"1", b"2")]
    assert [found.version_id for found in minio.list_objects(mine, include_version=True)] == ids[::-1]
    assert read(minio, mine, "key", version_id=ids[0]) == b"1"
    minio.remove_object(mine, "key")
    with pytest.raises(S3Error) as caught:
        read(minio, mine, "key")
    assert caught.value.code == "NoSuchKey"


def test_object_lock(minio: Minio, new_name: Callable[[str], str]) -> None:
    bucket = new_name("minio-lock")
    minio.make_bucket(bucket, object_lock=True)
    minio.set_object_lock_config(bucket, ObjectLockConfig(GOVERNANCE, 15, DAYS))
    config = minio.get_object_lock_config(bucket)
    assert (config.mode, config.duration, config.duration_unit) == (GOVERNANCE, 15, DAYS)
    minio.delete_object_lock_config(bucket)
    assert minio.get_object_lock_config(bucket).mode is None
    until = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    with pytest.raises(S3Error, match="Content-MD5 OR x-amz-checksum-"):  # of which it sends none: AWS refuses it, too
        put(minio, bucket, "key", b"body", retention=Retention(GOVERNANCE, until))
    made = put(minio, bucket, "key", b"body")
    minio.set_object_retention(bucket, "key", Retention(GOVERNANCE, until), version_id=made.version_id)
    minio.enable_object_legal_hold(bucket, "key")
    assert minio.is_object_legal_hold_enabled(bucket, "key")
    minio.disable_object_legal_hold(bucket, "key")
    assert not minio.is_object_legal_hold_enabled(bucket, "key")
    found = minio.get_object_retention(bucket, "key")
    assert found is not None and (found.mode, found.retain_until_date) == (GOVERNANCE, until)
    longer = Retention(COMPLIANCE, until + timedelta(days=1))
    with pytest.raises(S3Error) as caught:
        minio.set_object_retention(bucket, "key", longer)
    assert caught.value.code == "AccessDenied"
    with pytest.raises(S3Error) as caught:
        minio.remove_object(bucket, "key", version_id=made.version_id)
    assert caught.value.code == "AccessDenied"
    named = [DeleteObject("key", made.version_id)]
    assert [error.code for error in minio.remove_objects(bucket, named)] == ["AccessDenied"]
    assert list(minio.remove_objects(bucket, named, bypass_governance_mode=True)) == []
    plain = put(minio, bucket, "plain", b"body")
    assert minio.get_object_retention(bucket, "plain") is None
    minio.remove_object(bucket, "plain", version_id=plain.version_id)
    minio.remove_bucket(bucket)


def test_errors_are_understood(minio: Minio) -> None:
    with pytest.raises(S3Error) as caught:
        read(minio, "there-is-no-such-bucket", "key")
    assert (caught.value.code, caught.value.bucket_name) == ("NoSuchBucket", "there-is-no-such-bucket")
