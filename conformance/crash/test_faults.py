"""What a client sees, and the operator is told, when a disk fails, fills up or rots, or a process stands still."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.database.client import query, status
from catalog.errors import QueryFailed
from conformance.crash.client import Client, Refused
from conformance.crash.faults import FAULTS, SMALL, Fault, failing
from conformance.crash.rounds import children_of
from conformance.raw import Answer, Raw
from conformance.server import Server, running

BUCKET = "faults"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("faults") / "data", "--workers", "1") as server:
        Client(server).create_bucket(BUCKET)
        yield server


def log_lines(server: Server) -> list[dict[str, str]]:
    lines = (server.data.parent / f"{server.data.name}.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def assert_told(server: Server, answer: Answer, text: str) -> None:
    """The log has the reason under the request id that the client saw; the client does not see the reason."""
    assert (answer.status, answer.code) == (500, "InternalError")
    (line,) = [line for line in log_lines(server) if line.get("request_id") == answer.header("x-amz-request-id")]
    assert text in line["traceback"]
    assert text.encode() not in answer.body


def file_with(folder: Path, content: bytes) -> tuple[Path, int]:
    """The file below `folder` in which it lies, and where."""
    for path in folder.rglob("*"):
        if path.is_file() and (at := path.read_bytes().find(content)) >= 0:
            return path, at
    raise AssertionError(f"nothing in {folder}")


def test_a_small_body_that_rotted_is_never_served(server: Server) -> None:
    client = Client(server)
    content = os.urandom(5000)
    client.put(BUCKET, "rotten", content)
    path, at = file_with(server.data / "log", content)
    with path.open("r+b") as file:
        file.seek(at + 2500)
        file.write(bytes([content[2500] ^ 1]))
    assert_told(server, Raw(server).get(f"/{BUCKET}/rotten"), "is not what was written")
    client.put(BUCKET, "rotten", content)
    assert client.get(BUCKET, "rotten")[0].size == 5000


@pytest.mark.parametrize("left", [0, 1000])
def test_a_large_body_that_was_cut_is_never_begun(server: Server, left: int) -> None:
    content = os.urandom(200_000)
    Client(server).put(BUCKET, "cut", content)
    os.truncate(file_with(server.data / "blobs", content)[0], left)
    assert_told(server, Raw(server).get(f"/{BUCKET}/cut"), "BlobCut")


def test_a_large_body_that_is_missing_is_an_error_of_ours(server: Server) -> None:
    content = os.urandom(200_000)
    Client(server).put(BUCKET, "missing", content)
    file_with(server.data / "blobs", content)[0].unlink()
    assert_told(server, Raw(server).get(f"/{BUCKET}/missing"), "is missing")


def test_s3_goes_on_while_the_catalog_process_stands_still(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        client = Client(server)
        client.create_bucket(BUCKET)
        (process,) = children_of(server, "catalog.database.process")
        os.kill(process, signal.SIGSTOP)
        for number in range(50):
            client.put(BUCKET, f"k{number}", SMALL)
        assert len(client.list_objects(BUCKET)) == 50
        os.kill(process, signal.SIGKILL)
        client.put(BUCKET, "after", SMALL)
        assert_same_in_sql(server, 51)


def problem_of(server: Server) -> str:
    return status(server.data).problem or ""


def assert_same_in_sql(server: Server, count: int) -> None:
    assert query(server.data, "SELECT count(*) FROM objects").rows == [(count,)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_disk_that_fails(tmp_path: Path, fault: Fault) -> None:
    """What is refused was not done; what was there stays readable; with the disk well again all goes on."""
    with failing(tmp_path / "data", fault) as (server, sick):
        client = Client(server)
        client.create_bucket(BUCKET)
        client.put(BUCKET, "before", fault.content)
        sick.touch()
        answer = Raw(server).put(f"/{BUCKET}/during", fault.content)
        assert (answer.status, answer.code) == fault.answer
        assert answer.header("x-amz-request-id")
        assert client.get(BUCKET, "before")[0].size == len(fault.content)
        assert [each.key for each in client.list_objects(BUCKET)] == ["before"]
        sick.unlink()
        with pytest.raises(Refused, match="NoSuchKey"):
            client.get(BUCKET, "during")
        client.put(BUCKET, "after", fault.content)
        assert_same_in_sql(server, 2)
    with running(tmp_path / "data") as server:
        assert [each.key for each in Client(server).list_objects(BUCKET)] == ["after", "before"]
        assert not list((tmp_path / "data" / "tmp").iterdir())


def test_a_full_disk_under_duckdb_holds_up_sql_alone(tmp_path: Path) -> None:
    fault = Fault(
        "full under DuckDB", "catalog.database.process", "catalog.database.follower:apply", "duckdb", (200, "")
    )
    with failing(tmp_path / "data", fault) as (server, sick):
        client = Client(server)
        client.create_bucket(BUCKET)
        sick.touch()
        client.put(BUCKET, "key", SMALL)
        log = tmp_path / "data.log"
        while "the catalog process cannot bring the database up to date" not in log.read_text():
            assert client.get(BUCKET, "key")[0].size == len(SMALL)
        with pytest.raises(QueryFailed, match="No space left on device"):
            query(server.data, "SELECT count(*) FROM objects")
        sick.unlink()
        while "No space left" in problem_of(server):
            pass
        assert_same_in_sql(server, 1)
