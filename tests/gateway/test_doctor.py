from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path

import pytest

from catalog.database import client
from catalog.database.frames import Status
from catalog.database.line import standing_still
from conformance.server import running
from gateway.doctor import Word, examine


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("doctor") / "data"
    with running(data) as server:
        s3 = server.client()
        s3.create_bucket(Bucket="bucket")
        for number in range(5):
            s3.put_object(Bucket="bucket", Key=f"{number}", Body=b"body")
    return data


@pytest.fixture
def data(served: Path, tmp_path: Path) -> Path:
    shutil.copytree(served, tmp_path / "data", ignore=shutil.ignore_patterns("*.sock"))
    return tmp_path / "data"


def words(data: Path, level: str) -> list[tuple[str, str]]:
    return [(word.about, word.says) for word in examine(data) if word.level == level]


def wrong(data: Path) -> str:
    ((about, says),) = words(data, "wrong")
    return f"{about}: {says}"


def state(data: Path) -> dict[str, tuple[float, str]]:
    files = [path for path in data.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime, hashlib.md5(path.read_bytes()).hexdigest()) for path in files}


def test_a_sound_folder_is_told_sound_and_left_as_it_is(data: Path) -> None:
    before = state(data)
    assert words(data, "wrong") == []
    assert ("server", "is not running") in words(data, "ok")
    assert state(data) == before


def test_beside_a_server_it_says_how_far_the_database_is(data: Path) -> None:
    with running(data):
        assert words(data, "wrong") == []
        assert any(about == "catalog" and says.startswith("mutation 6") for about, says in words(data, "ok"))


def test_a_catalog_process_that_stops_between_two_questions_is_told_once(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(data: Path) -> Status:
        raise standing_still()

    monkeypatch.setattr(client, "status", stopped)
    with running(data):
        assert wrong(data).count("may be killed") == 1


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    assert "there is no" in wrong(tmp_path / "nowhere")
    assert any("there is none" in says for _, says in words(tmp_path, "note"))


def test_a_log_without_its_end_is_told(data: Path) -> None:
    log = data / "log" / f"{1:016x}.log"
    content = bytearray(log.read_bytes())
    end = len(content.rstrip(b"\0"))
    content[end - 200 : end] = bytes(200)
    log.write_bytes(content)
    assert {about for about, _ in words(data, "wrong")} == {"catalog"}
    assert any("mutation 6, which was acknowledged" in says for _, says in words(data, "wrong"))


def test_a_log_that_is_gone_is_told(data: Path) -> None:
    (data / "log" / f"{1:016x}.log").unlink()
    assert "holds no segment of a commit log" in wrong(data)


def test_a_database_or_an_index_of_another_catalog_is_told(data: Path, tmp_path: Path) -> None:
    with running(tmp_path / "other"):
        pass
    shutil.copy(tmp_path / "other" / "catalog.duckdb", data)
    (data / "catalog.duckdb.wal").unlink(missing_ok=True)
    assert "belong to different catalogs" in wrong(data)
    shutil.rmtree(data / "index")
    shutil.copytree(tmp_path / "other" / "index", data / "index")
    assert any("belongs to another catalog: remove it" in says for _, says in words(data, "wrong"))


def test_a_database_that_cannot_be_read_is_told(data: Path) -> None:
    (data / "catalog.duckdb").write_bytes(b"nonsense" * 1000)
    assert "catalog.duckdb cannot be read" in wrong(data)


def test_an_open_database_a_clock_that_went_back_and_what_is_left_are_told(data: Path) -> None:
    (data / "catalog.duckdb").chmod(0o644)
    assert "others may open it: chmod 600" in wrong(data)
    (data / "catalog.duckdb").chmod(0o600)
    os.utime(data / "log" / f"{1:016x}.log", (time.time() + 1000,) * 2)
    assert "set the clock" in wrong(data)
    (data / "tmp" / "left").touch()
    assert Word("note", "tmp", "1 files that a killed server left: the next start removes them") in list(examine(data))
