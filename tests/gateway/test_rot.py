from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from catalog import Catalog
from catalog.errors import BodyDamaged, NoVersion
from catalog.records import Origin, Piece, Version
from gateway import rot
from gateway.blobs.errors import BlobCut, BlobDamaged, NoBlob
from gateway.request import Request
from gateway.rot import FOLDER, Rotten, forget, is_rot, names, note, noted

ORIGIN = Origin("root", "127.0.0.1", "0123456789ABCDEF")
BLOB = b"a blob's own id."
DAMAGE = BlobDamaged(BLOB, 0, 65536)


def request(path: str, method: str = "GET", **headers: str) -> Request:
    raw, _, query = path.partition("?")
    given = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "method": method,
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }

    async def receive() -> dict[str, object]:
        return {}

    return Request.from_scope(scope, receive)


@pytest.fixture
async def catalog(tmp_path: Path) -> Catalog:
    made = Catalog.open(tmp_path)
    bucket = await made.create_bucket(ORIGIN, "bucket", "root", "us-east-1")
    version = Version(0, "", 0, "e", 9, "STANDARD", "root", body=Piece(9, blob=BLOB))
    await made.put(ORIGIN, bucket, "a key", version)
    return made


@pytest.mark.parametrize("failure", [DAMAGE, BlobCut(BLOB, 5), BodyDamaged("what", Piece(1, 2, 3))])
def test_a_body_that_is_not_what_was_written_is_rot(failure: Exception) -> None:
    assert is_rot(request("/b/k", "PUT"), failure)


def test_what_else_fails_is_none() -> None:
    assert not is_rot(request("/b/k"), NoBlob(BLOB))
    assert not is_rot(request("/b/k"), OSError(errno.ENOSPC, "full"))
    assert not is_rot(request("/b/k", "PUT"), OSError(errno.EIO, "a sync that failed"))
    assert is_rot(request("/b/k"), OSError(errno.EIO, "a read that failed"))


async def test_it_is_noted_once_by_bucket_key_and_body(catalog: Catalog, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: note(catalog, tmp_path, request("/bucket/a%20key"), DAMAGE), range(50)))
    (found,) = noted(tmp_path)
    body = f"blobs/{BLOB.hex()[:2]}/{BLOB.hex()}"
    assert (found.bucket, found.key, found.body, found.detail) == ("bucket", "a key", body, str(DAMAGE))
    assert names(tmp_path) == (found.file,)
    forget(tmp_path, found)
    assert noted(tmp_path) == [] and names(tmp_path) == ()
    catalog.release()


async def test_those_who_note_the_same_at_once_are_not_in_each_others_way(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written, rename = Barrier(4), Path.rename

    def together(self: Path, target: Path) -> Path:
        written.wait()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", together)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: note(catalog, tmp_path, request("/bucket/a%20key"), DAMAGE), range(4)))
    assert len(noted(tmp_path)) == len(names(tmp_path)) == 1
    assert caplog.text == ""
    catalog.release()


async def test_of_a_copy_it_is_the_source(catalog: Catalog, tmp_path: Path) -> None:
    note(catalog, tmp_path, request("/bucket/copy", "PUT", x_amz_copy_source="bucket/a%20key"), DAMAGE)
    assert [found.key for found in noted(tmp_path)] == ["a key"]
    catalog.release()


async def test_what_was_overwritten_or_deleted_meanwhile_is_not_noted(catalog: Catalog, tmp_path: Path) -> None:
    note(catalog, tmp_path, request("/bucket/a%20key"), BlobDamaged(b"that of another.", 0, 9))
    note(catalog, tmp_path, request("/bucket/gone"), DAMAGE)
    note(catalog, tmp_path, request("/nowhere/key"), DAMAGE)
    note(catalog, tmp_path, request("/bucket"), OSError(errno.EIO, "of no body"))
    assert noted(tmp_path) == []
    catalog.release()


async def test_the_version_that_was_read_is_named(catalog: Catalog, tmp_path: Path) -> None:
    version_id = catalog.get(catalog.bucket("bucket"), "a key").version_id
    note(catalog, tmp_path, request("/bucket/a%20key?versionId=null"), DAMAGE)
    assert [found.version_id for found in noted(tmp_path)] == [version_id]
    with pytest.raises(NoVersion):
        catalog.get(catalog.bucket("bucket"), "a key", "1" * 32)
    catalog.release()


async def test_no_more_than_so_many_are_kept(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rot, "MOST", 3)
    for number in range(5):
        note(catalog, tmp_path, request("/bucket/a%20key"), BodyDamaged("what", Piece(1, 1, number)))
    assert len(noted(tmp_path)) == 3
    catalog.release()


async def test_one_that_cannot_be_noted_breaks_nothing(
    catalog: Catalog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FOLDER).write_text("a file in its place")
    note(catalog, tmp_path, request("/bucket/a%20key"), DAMAGE)
    assert "cannot be noted" in caplog.text
    catalog.release()


def test_one_that_was_cut_by_a_loss_of_power_is_none(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "cut.json").write_bytes(b'{"bucket":')
    (tmp_path / FOLDER / "draft.new").write_bytes(b"")
    assert noted(tmp_path) == []


def test_what_names_it_names_all(tmp_path: Path) -> None:
    found = Rotten("bucket", "key", "v1", "blobs/ab/cd", "how")
    assert found.named == "bucket/key version v1 in blobs/ab/cd: how"
    assert found.file != Rotten("bucket", "key", "v2", "blobs/ab/cd", "how").file
    assert os.sep not in found.file
