"""Clients that stop in the middle: what they are told, and that nothing of them remains."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.content import MIB, noise
from conformance.raw import Raw
from conformance.server import Server, running

BUCKET = "slow-clients"
MESSAGE = (
    "Your socket connection to the server was not read from or written to within the timeout period. "
    "Idle connections will be closed."
)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(
        tmp_path_factory.mktemp("impatient") / "data", "--request-timeout", "1", "--keep-alive", "1"
    ) as server:
        server.client().create_bucket(Bucket=BUCKET)
        yield server


def files(server: Server) -> set[str]:
    """Every file that a body could be in."""
    return {str(path) for folder in ("tmp", "blobs") for path in (server.data / folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize("came", [0, 1000, 5 * MIB])
@pytest.mark.parametrize("size", [2000, 6 * MIB])
def test_body_that_stops(impatient: Server, size: int, came: int) -> None:
    raw, before = Raw(impatient), files(impatient)
    request = raw.prepare("PUT", f"/{BUCKET}/key", body=noise(size))
    with raw.connect() as connection:
        connection.write(request.head(), request.body[: min(came, size - 1)])
        answer = connection.answer("PUT")
        assert (answer.status, answer.code, answer.text("Message")) == (400, "RequestTimeout", MESSAGE)
        assert answer.header("connection") == "close"
        assert connection.line.recv(1) == b""
    assert files(impatient) == before
    assert raw.head(f"/{BUCKET}/key").status == 404


def test_five_gigabytes_announced_and_one_byte_sent(impatient: Server) -> None:
    """Nothing is laid out, in memory or on the disk, for what may never come."""
    raw, before = Raw(impatient), files(impatient)
    request = raw.prepare("PUT", f"/{BUCKET}/key", body=b"1", payload="UNSIGNED-PAYLOAD")
    request.headers["Content-Length"] = str(5 << 30)
    with raw.connect() as connection:
        connection.write(request.head(), request.body)
        while not (came := files(impatient) - before):
            pass
        assert sum(Path(path).stat().st_blocks for path in came) * 512 <= MIB
        assert connection.answer("PUT").code == "RequestTimeout"
    assert files(impatient) == before
    assert raw.head(f"/{BUCKET}/key").status == 404


@pytest.mark.parametrize("signed", [True, False])
def test_chunks_that_stop(impatient: Server, signed: bool) -> None:
    raw, before = Raw(impatient), files(impatient)
    trailers = {"x-amz-checksum-crc32": "AAAAAA=="}
    request = raw.chunked(f"/{BUCKET}/key", [noise(MIB)] * 3, trailers, signed=signed)
    with raw.connect() as connection:
        connection.write(request.head(), request.body[: 2 * MIB])
        assert connection.answer("PUT").code == "RequestTimeout"
        assert connection.line.recv(1) == b""
    assert files(impatient) == before


def test_part_that_stops(impatient: Server) -> None:
    raw, s3 = Raw(impatient), impatient.client()
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    request = raw.prepare("PUT", f"/{BUCKET}/parts", {"uploadId": upload, "partNumber": "1"}, body=noise(6 * MIB))
    with raw.connect() as connection:
        connection.write(request.head(), request.body[: 4 * MIB])
        assert connection.answer("PUT").code == "RequestTimeout"
    assert "Parts" not in s3.list_parts(Bucket=BUCKET, Key="parts", UploadId=upload)


def test_document_that_stops(impatient: Server) -> None:
    raw = Raw(impatient)
    request = raw.prepare("POST", f"/{BUCKET}", {"delete": ""}, body=b"<Delete></Delete>")
    with raw.connect() as connection:
        connection.write(request.head(), request.body[:5])
        assert connection.answer("POST").code == "RequestTimeout"


def test_body_that_was_asked_for_and_does_not_come(impatient: Server) -> None:
    raw = Raw(impatient)
    request = raw.prepare("PUT", f"/{BUCKET}/key", headers={"Expect": "100-continue"}, body=b"body")
    with raw.connect() as connection:
        connection.write(request.head())
        assert connection.interim() == "HTTP/1.1 100 Continue"
        assert connection.answer("PUT").code == "RequestTimeout"


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_head_that_stops(impatient: Server, sent: bytes) -> None:
    with Raw(impatient).connect() as connection:
        connection.write(sent)
        assert connection.line.recv(1) == b""


def test_idle_connection_is_closed(impatient: Server) -> None:
    raw = Raw(impatient)
    with raw.connect() as connection:
        assert connection.exchange(raw.prepare("HEAD", f"/{BUCKET}/none")).status == 404
        assert connection.line.recv(1) == b""


@pytest.mark.parametrize("multipart", [False, True])
def test_answer_that_nobody_takes(impatient: Server, multipart: bool) -> None:
    """More of it than the kernels keep for the two: after the end of the connection the rest is missing."""
    raw, s3 = Raw(impatient), impatient.client()
    part = noise(24 * MIB)
    if multipart:
        upload = {"Bucket": BUCKET, "Key": "large"}
        upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
        etags = [s3.upload_part(**upload, PartNumber=number, Body=part)["ETag"] for number in (1, 2)]
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    else:
        s3.put_object(Bucket=BUCKET, Key="large", Body=part + part)
    assert raw.get(f"/{BUCKET}/large").body == part + part
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        line.connect((impatient.host, impatient.port))
        line.sendall(raw.prepare("GET", f"/{BUCKET}/large").head())
        while connected(impatient, line.getsockname()[1]):
            assert raw.head(f"/{BUCKET}/large").status == 200
        taken = 0
        try:
            while data := line.recv(MIB):
                taken += len(data)
        except ConnectionResetError:
            pass
    assert taken < len(part) * 2


def connected(server: Server, port: int) -> bool:
    """Whether the server holds its end of the connection from that port."""
    established = f" 0100007F:{server.port:04X} 0100007F:{port:04X} 01 "
    return established in Path("/proc/net/tcp").read_text()
