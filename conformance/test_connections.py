"""What happens on the connection itself: keep-alive, 100-continue, clients that hang up."""

from __future__ import annotations

import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformance.content import MIB, noise
from conformance.raw import Connection, Raw
from conformance.server import Server


def abort(connection: Connection) -> None:
    """Closes with a reset, as a client that was killed does."""
    connection.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.line.close()


def files(server: Server) -> set[str]:
    """Every file that a body could be in."""
    found = set()
    for folder in ("tmp", "blobs"):
        found |= {str(path) for path in (server.data / folder).rglob("*") if path.is_file()}
    return found


def test_expect_100_continue(raw: Raw, bucket: str) -> None:
    body = noise(MIB)
    request = raw.prepare("PUT", f"/{bucket}/key", headers={"Expect": "100-continue"}, body=body)
    with raw.connect() as connection:
        connection.write(request.head())
        assert connection.interim() == "HTTP/1.1 100 Continue"
        connection.write(body)
        assert connection.answer("PUT").status == 200
    assert raw.get(f"/{bucket}/key").body == body


@pytest.mark.parametrize("path", ["/there-is-no-such-bucket/key", "/{bucket}/" + "x" * 1025])
def test_expect_100_continue_refused_at_once(raw: Raw, bucket: str, path: str) -> None:
    """A request that cannot go well is answered without asking for its body."""
    headers = {"Expect": "100-continue"}
    request = raw.prepare("PUT", path.format(bucket=bucket), headers=headers, payload="UNSIGNED-PAYLOAD")
    request.headers["Content-Length"] = str(100 * MIB)
    with raw.connect() as connection:
        connection.write(request.head())
        assert connection.answer("PUT").status in (400, 404)


def test_expect_100_continue_by_a_stranger(raw: Raw, bucket: str) -> None:
    request = raw.prepare("PUT", f"/{bucket}/key", headers={"Expect": "100-continue"})
    request.headers["Authorization"] = request.headers["Authorization"][:-4] + "0000"
    request.headers["Content-Length"] = str(100 * MIB)
    with raw.connect() as connection:
        connection.write(request.head())
        assert connection.answer("PUT").status == 403


def test_expect_100_continue_refused_by_a_condition(raw: Raw, s3: Any, bucket: str) -> None:
    """The client keeps its body then, so the connection must end: the server would take what follows for it."""
    s3.put_object(Bucket=bucket, Key="key")
    headers = {"Expect": "100-continue", "If-None-Match": "*"}
    with raw.connect() as connection:
        connection.write(raw.prepare("PUT", f"/{bucket}/key", headers=headers, body=b"kept").head())
        answer = connection.answer("PUT")
        assert (answer.status, answer.header("connection")) == (412, "close")
        assert connection.line.recv(1) == b""


def test_many_requests_on_one_connection(raw: Raw, bucket: str) -> None:
    with raw.connect() as connection:
        for number in range(50):
            path, body = f"/{bucket}/{number % 7}", noise(number * 100, number)
            assert connection.exchange(raw.prepare("PUT", path, body=body)).status == 200
            assert connection.exchange(raw.prepare("GET", path)).body == body
            assert connection.exchange(raw.prepare("GET", f"/{bucket}/none")).status == 404
            assert connection.exchange(raw.prepare("HEAD", path)).header("content-length") == str(len(body))


def test_connection_goes_on_after_a_refused_upload(raw: Raw, bucket: str) -> None:
    """The body of a refused request must not be taken for the next request."""
    inner = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100
    with raw.connect() as connection:
        request = raw.prepare("PUT", "/there-is-no-such-bucket/key", body=inner)
        answer = connection.exchange(request)
        assert answer.status == 404
        if answer.header("connection") != "close":
            assert connection.exchange(raw.prepare("GET", f"/{bucket}")).status == 200


def test_connection_close(raw: Raw) -> None:
    request = raw.prepare("GET", "/")
    request.headers["Connection"] = "close"
    with raw.connect() as connection:
        assert connection.exchange(request).status == 200
        assert connection.line.recv(1) == b""


@pytest.mark.parametrize("size", [1000, 65536, 8 * MIB])
@pytest.mark.parametrize("part", [False, True], ids=["object", "part"])
def test_client_that_hangs_up_leaves_nothing(
    raw: Raw, s3: Any, server: Server, bucket: str, size: int, part: bool
) -> None:
    query = {}
    if part:
        upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
        query = {"uploadId": upload, "partNumber": "1"}
    before = files(server)
    request = raw.prepare("PUT", f"/{bucket}/key", query, body=noise(size))
    with raw.connect() as connection:
        connection.write(request.head(), request.body[: size - 100])
        abort(connection)
    # Another upload of the same kind passes through the same code after the broken one was noticed.
    while files(server) - before:
        assert raw.head(f"/{bucket}/key").status == 404
    assert raw.head(f"/{bucket}/key").status == 404
    if part:
        assert "Parts" not in s3.list_parts(Bucket=bucket, Key="key", UploadId=upload)
    else:
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_reader_that_hangs_up_does_no_harm(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=noise(16 * MIB))
    for _ in range(5):
        with raw.connect() as connection:
            connection.write(raw.prepare("GET", f"/{bucket}/key").head())
            connection.line.recv(1000)
            abort(connection)
    assert raw.get(f"/{bucket}/key").body == noise(16 * MIB)


def test_slow_body_keeps_nobody_waiting(raw: Raw, bucket: str) -> None:
    request = raw.prepare("PUT", f"/{bucket}/slow", body=noise(MIB))
    with raw.connect() as slow:
        slow.write(request.head(), request.body[:1000])
        assert raw.put(f"/{bucket}/fast", b"fast").status == 200
        assert raw.get(f"/{bucket}/fast").body == b"fast"
        slow.write(request.body[1000:])
        assert slow.answer("PUT").status == 200


def test_many_connections_at_once(server: Server, raw: Raw, bucket: str) -> None:
    def work(number: int) -> bool:
        body = noise(10_000 + number, number)
        put = raw.put(f"/{bucket}/{number}", body)
        return put.status == 200 and raw.get(f"/{bucket}/{number}").body == body

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(work, range(100)))


def test_racing_writers_of_one_key_leave_one_whole_body(two_workers: Server) -> None:
    raw, s3 = Raw(two_workers), two_workers.client()
    s3.create_bucket(Bucket="overwrite-race")
    bodies = [bytes([number]) * (100_000 + number) for number in range(1, 17)]
    with ThreadPoolExecutor(16) as pool:
        for _ in range(5):
            answers = list(pool.map(lambda body: raw.put("/overwrite-race/key", body).status, bodies))
            assert answers == [200] * 16
            assert raw.get("/overwrite-race/key").body in bodies


def test_what_one_worker_wrote_every_worker_reads(two_workers: Server) -> None:
    raw, s3 = Raw(two_workers), two_workers.client()
    s3.create_bucket(Bucket="read-your-writes")
    for number in range(60):
        # Each request comes on a new connection, and so to either process.
        body = noise(100 if number % 2 else 100_000, number)
        assert raw.put("/read-your-writes/key", body).status == 200
        assert raw.get("/read-your-writes/key").body == body
        assert raw.delete("/read-your-writes/key").status == 204
        assert raw.head("/read-your-writes/key").status == 404
