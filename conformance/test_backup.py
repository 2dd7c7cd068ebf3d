"""`ducket backup` of a server under load, `ducket restore`, and every object held against what was acknowledged."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from catalog.database.client import query, reach
from conformance.server import Server, ducket, environment, running

SIZES = (100, 70_000, 200_000)
PART = 5 << 20


def body(key: str, number: int) -> bytes:
    """Bytes that say which write they are of; their size depends on it too."""
    seed = hashlib.sha256(f"{key} {number}".encode()).digest()
    return f"{number:08} ".encode() + seed * (SIZES[number % len(SIZES)] // 32)


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(ducket(*map(str, arguments)), capture_output=True, text=True, env=environment())


def done(*arguments: str | Path) -> str:
    finished = command(*arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


class Writer:
    """Overwrites its keys again and again, and makes and deletes others; knows which writes were acknowledged."""

    def __init__(self, server: Server, name: str) -> None:
        self.s3, self.name = server.client(), name
        self.acknowledged: dict[str, int] = {}
        self.kept: dict[str, bytes] = {}

    def run(self, stop: threading.Event) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            key = f"{self.name}/{number % 5}"
            self.s3.put_object(Bucket="churn", Key=key, Body=body(key, number))
            self.acknowledged[key] = number
            kept = f"{self.name}/kept/{number}"
            self.s3.put_object(Bucket="kept", Key=kept, Body=body(kept, number))
            self.kept[kept] = body(kept, number)
            passing = f"{self.name}/passing"
            self.s3.put_object(Bucket="versions", Key=passing, Body=body(passing, number))
            self.s3.delete_object(Bucket="versions", Key=passing)
            self.s3.delete_object(Bucket="churn", Key=f"{self.name}/brief")
            self.s3.put_object(Bucket="churn", Key=f"{self.name}/brief", Body=body("brief", number))


@contextmanager
def writing(server: Server) -> Iterator[list[Writer]]:
    stop, writers = threading.Event(), [Writer(server, f"writer{number}") for number in range(3)]
    threads = [threading.Thread(target=writer.run, args=(stop,)) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def prepare(s3: Any) -> dict[str, bytes]:
    """Buckets, and an object of parts that nobody touches."""
    for bucket in ("churn", "kept", "versions"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    whole = os.urandom(PART + 1000)
    here = {"Bucket": "kept", "Key": "parts"}
    here["UploadId"] = s3.create_multipart_upload(**here)["UploadId"]
    etags = [
        s3.upload_part(**here, PartNumber=number, Body=part)["ETag"]
        for number, part in ((1, whole[:PART]), (2, whole[PART:]))
    ]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    s3.complete_multipart_upload(**here, MultipartUpload={"Parts": parts})
    return {"parts": whole}


def acknowledged(writers: list[Writer]) -> tuple[dict[str, bytes], dict[str, int]]:
    kept, churned = {}, {}
    for writer in writers:
        kept.update(writer.kept.copy())
        churned.update(writer.acknowledged.copy())
    return kept, churned


def compare(data: Path, kept: dict[str, bytes], churned: dict[str, int]) -> None:
    """Every object that was acknowledged before the backup began, byte for byte; of later ones any or none."""
    with running(data) as server:
        s3 = server.client()
        for key, expected in kept.items():
            assert s3.get_object(Bucket="kept", Key=key)["Body"].read() == expected, key
        for key, number in churned.items():
            found = s3.get_object(Bucket="churn", Key=key)["Body"].read()
            assert int(found[:8]) >= number and found == body(key, int(found[:8])), key
        s3.put_object(Bucket="kept", Key="it goes on", Body=b"yes")
        assert query(data, "SELECT count(*) FROM objects WHERE key = 'it goes on'").rows == [(1,)]
    report = json.loads(done("scrub", "--json", "--data", data))
    assert report["findings"] == [] and report["bodies"] > len(kept) + len(churned)


def test_a_backup_under_load_has_all_that_was_acknowledged_before_it(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with running(data, "--workers", "2") as server:
        fixed = prepare(server.client())
        with writing(server) as writers:
            states = []
            for round in range(3):
                time.sleep(1)
                states.append(acknowledged(writers))
                done("backup", backup, "--data", data)
                done("restore", backup, "--data", tmp_path / f"restored{round}")
    for round, (kept, churned) in enumerate(states):
        assert kept and churned
        compare(tmp_path / f"restored{round}", fixed | kept, churned)
    assert len(list(backup.glob("point-*"))) == 1


def test_what_is_there_is_not_copied_again_and_what_died_goes(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with running(data) as server:
        s3 = server.client()
        prepare(s3)
        assert "1 large bodies, 1 of them new" in done("backup", backup, "--data", data)
        s3.put_object(Bucket="kept", Key="new", Body=body("new", 1))
        assert "2 large bodies, 1 of them new" in done("backup", backup, "--data", data)
        s3.delete_object(Bucket="kept", Key="parts")
        assert "1 large bodies, 0 of them new" in done("backup", backup, "--data", data)
    (blob,) = (path for path in (backup / "blobs").rglob("*") if path.is_file())
    assert blob.stat().st_nlink == 2, "the bytes lie on the disk once"
    # Without a server too.
    assert "1 large bodies, 0 of them new" in done("backup", backup, "--data", data)


def test_on_another_file_system_it_is_a_copy(tmp_path: Path) -> None:
    data = tmp_path / "data"
    backup = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="ducket-"))
    try:
        with running(data) as server:
            fixed = prepare(server.client())
            with writing(server) as writers:
                time.sleep(1)
                kept, churned = acknowledged(writers)
                done("backup", backup, "--data", data)
        shutil.rmtree(data)
        done("restore", backup, "--data", data)
        compare(data, fixed | kept, churned)
    finally:
        shutil.rmtree(backup)


def test_a_backup_that_was_broken_off_is_none(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with running(data) as server:
        fixed = prepare(server.client())
        for number in range(300):
            server.client().put_object(Bucket="kept", Key=f"{number}", Body=body(f"{number}", 2))
        whole, chance = False, random.Random(1)
        for round in range(12):
            process = subprocess.Popen(
                ducket("backup", str(backup), "--data", str(data)), stdout=subprocess.DEVNULL, env=environment()
            )
            while not (backup / "making").exists() and process.poll() is None:
                pass
            time.sleep(chance.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
            process.wait()
            whole = whole or any(backup.glob("point-*"))
            refused = command("restore", backup, "--data", tmp_path / f"restored{round}")
            assert (refused.returncode == 0) == whole, refused.stderr
        done("backup", backup, "--data", data)
        kept = {f"{number}": body(f"{number}", 2) for number in range(300)}
        done("restore", backup, "--data", tmp_path / "restored")
        compare(tmp_path / "restored", fixed | kept, {})
        # The server was let go: it applies what is written.
        server.client().put_object(Bucket="kept", Key="after", Body=b"")
        assert query(data, "SELECT count(*) FROM objects WHERE key = 'after'").rows == [(1,)]


def test_a_broken_off_restore_leaves_no_data_folder(tmp_path: Path) -> None:
    data, backup, target = tmp_path / "data", tmp_path / "backup", tmp_path / "restored"
    with running(data) as server:
        fixed = prepare(server.client())
    done("backup", backup, "--data", data)
    process = subprocess.Popen(ducket("restore", str(backup), "--data", str(target)), env=environment())
    while not (tmp_path / "restored.restoring").exists():
        pass
    process.kill()
    process.wait()
    assert not target.exists()
    done("restore", backup, "--data", target)
    compare(target, fixed, {})
    assert "is not empty" in command("restore", backup, "--data", target).stderr


def test_a_lost_body_is_told_and_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with running(data) as server:
        prepare(server.client())
    done("backup", backup, "--data", data)
    next(path for path in (backup / "blobs").rglob("*") if path.is_file()).unlink()
    refused = command("restore", backup, "--data", tmp_path / "restored")
    assert refused.returncode == 1 and "1 bodies are missing in the backup" in refused.stderr
    assert not (tmp_path / "restored").exists()
    next(path for path in (data / "blobs").rglob("*") if path.is_file()).unlink()
    told = command("backup", tmp_path / "another", "--data", data)
    assert told.returncode == 1 and "has lost the body" in told.stderr
    done("restore", tmp_path / "another", "--data", tmp_path / "restored")


@pytest.mark.parametrize("place", ["data/within", "foreign", "other"])
def test_a_place_that_is_not_its_own_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "file").touch()
    for name in ("data", "elsewhere"):
        done("user", "create", "alice", "--data", tmp_path / name)
    done("backup", tmp_path / "other", "--data", tmp_path / "elsewhere")
    assert command("backup", tmp_path / place, "--data", tmp_path / "data").returncode == 1


def test_while_it_is_held_nothing_is_written_to_the_database(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as server:
        s3 = server.client()
        prepare(s3)

        def files() -> list[bytes]:
            return [path.read_bytes() for path in sorted(data.glob("catalog.duckdb*"))]

        def copy() -> None:
            before = files()
            for number in range(50):
                s3.put_object(Bucket="kept", Key=f"{number}", Body=b"held")
            time.sleep(2.5)
            assert files() == before

        with reach(data) as catalog, catalog.held(copy) as position:
            assert query(data, "SELECT count(*) FROM objects WHERE bucket = 'kept'").rows == [(51,)]
            assert position.seq < 51 + 8
