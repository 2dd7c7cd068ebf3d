"""What a client sees, and the operator is told, when a disk fails, fills up or rots, or a process stands still."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from catalog.database.client import query, status
from catalog.errors import QueryFailed
from conformance.crash.client import Client, Refused
from conformance.crash.faults import FAULTS, FULL, SMALL, UNREAD, Fault, failing
from conformance.crash.rounds import children_of
from conformance.raw import Answer, Raw
from conformance.server import Server, running
from gateway.doctor import examine

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
        Raw(server).put(f"/{BUCKET}/during", fault.content)
        assert full_disk_told(server) == ([answer.header("x-amz-request-id")] if fault.answer == FULL else [])
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


def full_disk_told(server: Server) -> list[str]:
    """The requests under whose ids the log says so."""
    return [line["request_id"] for line in log_lines(server) if line["message"].startswith("no room on the disk")]


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


@pytest.mark.parametrize("fault", UNREAD, ids=lambda fault: fault.name)
def test_a_disk_that_cannot_be_read(tmp_path: Path, fault: Fault) -> None:
    """Nothing of the body is sent as if it were whole; another object is read, and this one once the disk is well."""
    with failing(tmp_path / "data", fault) as (server, sick):
        client, raw = Client(server), Raw(server)
        client.create_bucket(BUCKET)
        client.put(BUCKET, "key", fault.content)
        sick.touch()
        answer = raw.get(f"/{BUCKET}/key")
        why = {"unreadable": "Input/output error", "forbidden": "Permission denied"}[fault.error]
        assert_told(server, answer, why)
        assert raw.head(f"/{BUCKET}/key").status == 200
        assert client.put(BUCKET, "other", fault.content)
        degraded = json.loads(raw.send(raw.plain("GET", "/-/health/ready")).body)["degraded"]
        assert (degraded is not None) == (fault.error == "unreadable")
        sick.unlink()
        assert client.get(BUCKET, "key")[0].size == len(fault.content)


def test_a_catalog_process_that_stands_still_is_said_to_by_sql_and_by_the_doctor(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1", "--sql-seconds", "1") as server:
        client, raw = Client(server), Raw(server)
        client.create_bucket(BUCKET)
        (process,) = children_of(server, "catalog.database.process")
        os.kill(process, signal.SIGSTOP)
        client.put(BUCKET, "key", SMALL)
        answer = raw.send(raw.prepare("POST", "/-/sql", body=b"SELECT count(*) FROM objects"))
        assert (answer.status, answer.code) == (503, "ServiceUnavailable")
        wrong = [word.says for word in examine(server.data) if word.level == "wrong"]
        assert len(wrong) == 1 and "has not answered" in wrong[0]
        os.kill(process, signal.SIGCONT)
        while (
            answer := raw.send(raw.prepare("POST", "/-/sql", body=b"SELECT count(*) AS n FROM objects"))
        ).status != 200:
            pass
        assert answer.body == b'{"n":1}\n'


def test_s3_goes_on_while_the_catalog_process_is_slow(tmp_path: Path) -> None:
    """How far behind it is, is told; SQL waits for what was acknowledged before it was asked."""
    fault = Fault("slow", "catalog.database.process", "catalog.database.follower:apply", "slow", (200, ""))
    with failing(tmp_path / "data", fault) as (server, sick):
        client, raw = Client(server), Raw(server)
        client.create_bucket(BUCKET)
        sick.touch()
        for number in range(50):
            client.put(BUCKET, f"k{number}", SMALL)
        found = json.loads(raw.send(raw.plain("GET", "/-/health/ready")).body)
        assert found["ready"] and found["lag"] > 0
        assert_same_in_sql(server, 50)


def test_many_connections_that_say_nothing(tmp_path: Path) -> None:
    """Five thousand: each is kept or told that it is too many, who came before is served, and who comes after them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(5000, most - 500)
    try:
        with running(tmp_path / "data", "--workers", "1") as server, ExitStack() as stack:
            raw = Raw(server)
            early = stack.enter_context(raw.connect())
            assert early.exchange(raw.prepare("PUT", f"/{BUCKET}")).status == 200
            worker = children_of(server, "gateway.worker")[0]
            memory = resident(worker)
            lines = [stack.enter_context(raw.connect()) for _ in range(count)]
            for line in lines:
                line.write(b"GET / HTTP/1.1\r\n")
            assert early.exchange(raw.prepare("PUT", f"/{BUCKET}/key", body=SMALL)).status == 200
            assert resident(worker) - memory < count * 32 * 1024
            late = raw.get(f"/{BUCKET}/key")
            assert late.status == 200 or (late.status, late.code) == (503, "SlowDown")
            for line in lines:
                line.line.close()
            while raw.get(f"/{BUCKET}/key").status != 200:
                pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def resident(process: int) -> int:
    """Bytes."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()
