"""Too much at once is refused with 503 SlowDown before it hurts those who are served.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from bench.slow_disk import prepare
from conformance.conftest import ALICE
from conformance.content import MIB, noise
from conformance.raw import Connection, Raw
from conformance.server import ROOT, create_user, running
from conformance.signing import Signer


def under_way(raw: Raw, line: Connection, key: str, body: bytes) -> None:
    """Begins a PUT and waits until the server has asked for its body."""
    line.write(raw.prepare("PUT", key, headers={"Expect": "100-continue"}, body=body).head())
    assert line.interim() == "HTTP/1.1 100 Continue"


def test_requests_under_way(tmp_path: Path) -> None:
    log = tmp_path / "requests.log"
    options = ["--workers", "1", "--max-requests", "3", "--request-log", str(log)]
    with running(tmp_path / "data", *options) as server, ExitStack() as stack:
        raw = Raw(server)
        assert raw.put("/bucket").status == 200
        lines = [stack.enter_context(raw.connect()) for _ in range(4)]
        for number in range(3):
            under_way(raw, lines[number], f"/bucket/{number}", b"slow")
        for request in (raw.prepare("GET", "/bucket/none"), raw.prepare("PUT", "/bucket/none", body=noise(MIB))):
            answer = lines[3].exchange(request)
            assert (answer.status, answer.code) == (503, "SlowDown")
            assert answer.text("Message") == "Please reduce your request rate."
        assert raw.send(raw.plain("GET", "/-/health/live")).status == 200
        for number in range(3):
            lines[number].write(b"slow")
            assert lines[number].answer("PUT").status == 200
        assert lines[3].exchange(raw.prepare("GET", "/bucket/2")).body == b"slow"
        assert raw.head("/bucket/none").status == 404
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["status"] for line in logged if line["error"] == "SlowDown"] == [503, 503]


def test_connections(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1", "--max-connections", "5") as server, ExitStack() as stack:
        raw = Raw(server)
        lines = [stack.enter_context(raw.connect()) for _ in range(5)]
        for line in lines:
            assert line.exchange(raw.prepare("GET", "/")).status == 200
        with raw.connect() as late:
            answer = late.exchange(raw.prepare("GET", "/"))
            assert (answer.status, answer.code, answer.header("connection")) == (503, "SlowDown", "close")
            assert late.line.recv(1) == b""
        for line in lines:
            assert line.exchange(raw.prepare("GET", "/")).status == 200
        lines.pop().line.close()
        while raw.get("/").status == 503:
            time.sleep(0.01)


def test_requests_of_one_key(tmp_path: Path) -> None:
    """SQL counts like S3; what another key sends, and how the server is doing, is answered as always."""
    with running(tmp_path / "data", "--workers", "1", "--max-key-rate", "1") as server:
        create_user(server.data, "alice", ALICE)
        raw, others = Raw(server), Raw(server, Signer(ALICE))
        with raw.connect() as line:
            while (answer := line.exchange(raw.prepare("GET", "/"))).status == 200:
                pass
            assert (answer.status, answer.code) == (503, "SlowDown")
            assert line.exchange(raw.prepare("GET", "/-/sql", {"query": "SELECT 1"})).code == "SlowDown"
            assert others.get("/").status == 200
            assert raw.send(raw.plain("GET", "/-/health/live")).status == 200
            while line.exchange(raw.prepare("GET", "/")).status == 503:
                pass


def test_changes_that_wait_for_the_disk(tmp_path: Path) -> None:
    """Those already waiting are done; each of the others is refused on its own, and reads do not feel it."""
    switch = tmp_path / "slow"
    slow = prepare(tmp_path / "modules", switch, 0.3)
    modules = {"PYTHONPATH": f"{tmp_path / 'modules'}:{ROOT}"}
    assert slow["PYTHONPATH"].startswith(str(tmp_path / "modules"))
    with running(tmp_path / "data", "--workers", "1", "--max-commits", "10", env=modules) as server:
        raw, s3 = Raw(server), server.client(max_pool_connections=50)
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="read", Body=b"read")
        switch.touch()
        s3.put_object(Bucket="bucket", Key="first", Body=b"leads to commits in a thread")

        def put(number: int) -> tuple[int, str | None]:
            answer = raw.put(f"/bucket/{number}", b"body")
            return answer.status, answer.code if answer.body else None

        with ThreadPoolExecutor(41) as pool:
            puts = [pool.submit(put, number) for number in range(40)]
            reads = 0
            while not all(each.done() for each in puts):
                assert raw.get("/bucket/read").body == b"read"
                reads += 1
            answers = [each.result() for each in puts]
        gone = s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": str(number)} for number in range(40)]})
        switch.unlink()
        assert set(answers) == {(200, None), (503, "SlowDown")}
        assert reads > 10
        assert {error["Code"] for error in gone["Errors"]} == {"SlowDown"}
        assert len(gone["Deleted"]) + len(gone["Errors"]) == 40
        refused = {error["Key"] for error in gone["Errors"]}
        for number, (status, _) in enumerate(answers):
            there = status == 200 and str(number) in refused
            assert raw.head(f"/bucket/{number}").status == (200 if there else 404)
