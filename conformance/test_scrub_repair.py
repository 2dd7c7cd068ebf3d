"""`ducket scrub --repair`: what it can put right is right afterwards, and what it cannot is never served."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import duckdb
import lmdb
import pytest
from botocore.exceptions import ClientError

from catalog.folder import Folder
from conformance.scrubbing import BIG, PART, fill, flip, largest_blob, scrub
from conformance.server import Server, run_command, running

ONLY = os.urandom(200_000)
SMALL = b"the only small body of its kind"
Damage = Callable[[Path], object]
DAMAGES: dict[str, Damage] = {
    "flipped": lambda path: flip(path, 1000),
    "cut": lambda path: os.truncate(path, 1000),
    "gone": lambda path: path.unlink(),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped folder, for tests to copy, with a backup of it at another place."""
    data = tmp_path_factory.mktemp("repair") / "data"
    with running(data) as server:
        s3 = server.client()
        fill(s3)
        s3.put_object(Bucket="first", Key="only", Body=ONLY)
        s3.put_object(Bucket="first", Key="only small", Body=SMALL)
    run_command("backup", str(data.parent / "backup"), "--data", str(data))
    return data


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    """Copied, so that no file is one with the backup's."""
    for name in ("data", "backup"):
        subprocess.run(["cp", "-a", str(filled.parent / name), str(tmp_path / name)], check=True)
    return tmp_path / "data"


@pytest.fixture
def backup(data: Path) -> Path:
    return data.parent / "backup"


def blob_with(data: Path, content: bytes) -> Path:
    files = (path for path in (data / "blobs").rglob("*") if path.is_file())
    return next(path for path in files if path.read_bytes().startswith(content))


def segment_with(data: Path, content: bytes) -> tuple[Path, int]:
    for path in sorted((data / "log").glob("*.log")):
        if (at := path.read_bytes().rfind(content)) >= 0:
            return path, at
    raise AssertionError("no such body")


def results(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["kind"], each.get("result", "failed")) for each in report["findings"]}


def everything(server: Server) -> dict[tuple[str, str, str], bytes]:
    s3, found = server.client(), {}
    for bucket in ("first", "second"):
        for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
            at = (bucket, version["Key"], version["VersionId"])
            found[at] = s3.get_object(Bucket=bucket, Key=at[1], VersionId=at[2])["Body"].read()
    return found


@contextmanager
def served(data: Path, wanted: bool) -> Iterator[Server | None]:
    with running(data) if wanted else nullcontext() as server:
        yield server


@pytest.mark.parametrize("with_server", [False, True])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_body_is_had_again_from_another_of_the_same_content(data: Path, damage: Damage, with_server: bool) -> None:
    with running(data) as server:
        before = everything(server)
    for content in (BIG, PART):
        damage(blob_with(data, content))
    with served(data, with_server):
        status, report = scrub(data, "--repair")
    assert (status, {result for _, result in results(report)}) == (0, {"repaired"})
    assert scrub(data)[1]["findings"] == []
    with running(data) as server:
        assert everything(server) == before


def test_a_small_body_is_put_back_in_its_record(data: Path) -> None:
    for content in (b"rest", b"odd"):
        flip(*segment_with(data, content))
    status, report = scrub(data, "--repair")
    assert (status, results(report)) == (0, {("etag", "repaired"), ("checksum", "repaired")})
    shutil.rmtree(data / "index")  # the log's chain holds again, or no index could be made
    assert scrub(data)[1]["findings"] == []


def test_what_only_a_backup_has_is_taken_from_it(data: Path, backup: Path) -> None:
    flip(blob_with(data, ONLY), 1000)
    flip(*segment_with(data, SMALL))
    status, report = scrub(data, "--repair", "--from", str(backup))
    assert (status, results(report)) == (0, {("etag", "repaired"), ("checksum", "repaired")})
    assert all(str(backup) in each["detail"] for each in report["findings"])
    with running(data) as server:
        assert server.client().get_object(Bucket="first", Key="only")["Body"].read() == ONLY
    listed = json.loads(run_command("catalog", "validations", "--result", "repaired", "--json", "--data", str(data)))
    assert len(listed["items"]) == len(report["findings"])


def test_a_backup_that_is_damaged_too_is_not_taken_from(data: Path, backup: Path) -> None:
    for folder in (data, backup):
        flip(blob_with(folder, ONLY), 1000)
    assert scrub(data, "--repair", "--from", str(backup))[0] == 1
    assert b"".join(path.read_bytes() for path in (data / "blobs").glob("*/*.damaged")) != ONLY


def test_what_is_rotten_beyond_repair_is_not_served_until_it_is_had_again(data: Path, backup: Path) -> None:
    damaged = blob_with(data, ONLY)
    flip(damaged, 1000)
    flip(*segment_with(data, SMALL))
    with running(data) as server:
        s3 = server.client()
        with pytest.raises(ClientError, match="InternalError"):
            s3.get_object(Bucket="first", Key="only")
        assert s3.get_object(Bucket="first", Key="only", Range="bytes=100000-")["Body"].read() == ONLY[100_000:]
        status, report = scrub(data, "--repair")
        assert (status, results(report)) == (1, {("etag", "failed"), ("checksum", "failed")})
        assert all("beyond repair" in each["detail"] for each in report["findings"])
        for key in ("only", "only small"):
            for given in ({}, {"Range": "bytes=3-7"}):
                with pytest.raises(ClientError, match="InternalError"):
                    s3.get_object(Bucket="first", Key=key, **given)
        assert damaged.with_name(f"{damaged.name}.damaged").exists()
        assert {each["kind"] for each in scrub(data)[1]["findings"]} == {"unreadable", "etag", "checksum"}
        assert scrub(data, "--repair", "--from", str(backup))[0] == 0
        assert s3.get_object(Bucket="first", Key="only")["Body"].read() == ONLY
        assert s3.get_object(Bucket="first", Key="only small")["Body"].read() == SMALL
    assert not damaged.with_name(f"{damaged.name}.damaged").exists()


@pytest.mark.parametrize("with_server", [False, True])
@pytest.mark.parametrize("damage", ["flipped", "cut"])
def test_sums_of_blocks_that_are_wrong_are_made_anew_of_bytes_that_are_proved(
    data: Path, damage: str, with_server: bool
) -> None:
    path = blob_with(data, ONLY)
    sound = path.read_bytes()
    if damage == "flipped":
        flip(path, len(sound) - 5)
    else:
        os.truncate(path, len(sound) - 5)
    status, report = scrub(data)
    assert (status, results(report)) == (1, {("block", "failed")})
    with served(data, with_server):
        status, report = scrub(data, "--repair")
    assert (status, results(report)) == (0, {("block", "repaired")})
    assert path.read_bytes() == sound
    assert scrub(data)[1]["findings"] == []


@pytest.mark.parametrize("with_server", [False, True])
def test_rows_are_made_anew_of_the_index_where_the_journal_agrees_with_it(data: Path, with_server: bool) -> None:
    with duckdb.connect(str(data / "catalog.duckdb")) as connection:
        before = connection.execute("SELECT * FROM private.objects ORDER BY seq").fetchall()
        connection.execute("DELETE FROM private.objects WHERE key = 'small' AND is_latest")
        connection.execute("UPDATE private.objects SET size = 1 WHERE key LIKE 'it''s%' AND is_latest")
    with served(data, with_server):
        status, report = scrub(data, "--repair")
        assert (status, results(report)) == (0, {("database", "repaired")})
        assert scrub(data)[1]["findings"] == []
    with duckdb.connect(str(data / "catalog.duckdb")) as connection:
        assert connection.execute("SELECT * FROM private.objects ORDER BY seq").fetchall() == before


@pytest.mark.parametrize("with_server", [False, True])
def test_the_numbers_of_usage_are_counted_anew(data: Path, with_server: bool) -> None:
    with duckdb.connect(str(data / "catalog.duckdb")) as connection:
        connection.execute("CHECKPOINT")
        connection.execute("UPDATE private.usage_recent SET bytes = bytes + 1, objects = 0 WHERE depth = 0")
    with served(data, with_server):
        assert results(scrub(data)[1]) == {("usage", "failed")}
        status, report = scrub(data, "--repair")
        assert (status, results(report)) == (0, {("usage", "repaired")})
        assert scrub(data)[1]["findings"] == []


def spoil_index(data: Path, key: bytes) -> None:
    """An object's entry is gone, and so is the count of who names its blob."""
    env = lmdb.open(str(data / "index"), map_size=1 << 40, max_dbs=12, max_readers=4096)
    objects, blobs = env.open_db(b"objects", create=False), env.open_db(b"blobs", create=False)
    with env.begin(write=True) as txn:
        (place,) = [place for place, _ in txn.cursor(db=objects) if place.endswith(key)]
        txn.delete(place, db=objects)
        txn.drop(blobs, delete=False)
    env.close()


@contextmanager
def in_use(data: Path) -> Iterator[None]:
    """A server that starts meanwhile sweeps nothing."""
    held = Folder(data).hold_open()
    try:
        yield
    finally:
        os.close(held)


def test_the_index_of_a_stopped_folder_is_made_anew_where_the_journal_is_against_it(data: Path) -> None:
    with running(data) as server:
        before = everything(server)
    spoil_index(data, b"only")
    for blob in (data / "blobs").glob("*/*"):
        os.utime(blob, (0, 0))
    assert ("database", "failed") in results(scrub(data)[1])
    status, report = scrub(data, "--repair")
    assert (status, results(report)) == (0, {("database", "repaired")})
    assert scrub(data)[1]["findings"] == []
    with running(data) as server:
        assert everything(server) == before
    assert not (data / "index.old").exists()


def test_nothing_is_removed_while_index_and_database_disagree(data: Path) -> None:
    with in_use(data), running(data):
        spoil_index(data, b"only")
        for blob in (data / "blobs").glob("*/*"):
            os.utime(blob, (0, 0))
        there = set((data / "blobs").glob("*/*"))
        status, report = scrub(data, "--repair")
        assert status == 1
        assert any("stop the server" in each["detail"] for each in report["findings"])
        assert ("orphan", "failed") in results(report) and ("orphan", "repaired") not in results(report)
        assert set((data / "blobs").glob("*/*")) == there
    assert scrub(data, "--repair")[0] == 0


def test_what_nothing_names_is_removed(data: Path) -> None:
    orphan, draft, fresh = data / "blobs" / "ab" / ("ab" * 16), data / "tmp" / "ab", data / "tmp" / "cd"
    for path in (orphan, draft, fresh):
        path.write_bytes(b"nobody's")
    for path in (orphan, draft):
        os.utime(path, (0, 0))
    there = set((data / "blobs").glob("*/*"))
    status, report = scrub(data, "--repair")
    assert (status, results(report)) == (0, {("orphan", "repaired")})
    assert set((data / "blobs").glob("*/*")) == there - {orphan}
    assert set((data / "tmp").iterdir()) == {fresh}


def test_repair_beside_writes_breaks_nothing(data: Path) -> None:
    damaged = largest_blob(data)
    flip(damaged, 1000)
    with running(data, "--workers", "2") as server:
        s3 = server.client()
        for count in range(30):
            s3.put_object(Bucket="first", Key=f"new{count}", Body=os.urandom(70_000))
        assert scrub(data, "--repair")[0] == 0
        for count in range(30):
            s3.delete_object(Bucket="first", Key=f"new{count}")
        assert scrub(data, "--repair")[1]["findings"] == []
