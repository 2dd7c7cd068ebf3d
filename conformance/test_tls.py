"""HTTPS spoken by the server itself: the same S3, with real clients that check the certificate."""

from __future__ import annotations

import hashlib
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme
from botocore.config import Config
from botocore.exceptions import SSLError

from conformance.access_logs import SECONDS, delivered, let_write, log_to
from conformance.clients.programs import Program, aws_settings
from conformance.content import MIB, noise
from conformance.raw import Connection, Raw
from conformance.server import REGION, Server, ducket, environment, running
from conformance.workers import until, workers


@dataclass(frozen=True)
class Secured:
    """A server that speaks HTTPS, and the authority that its clients trust."""

    server: Server
    authority: trustme.CA
    folder: Path

    @property
    def trust(self) -> str:
        path = self.folder / "ca.pem"
        self.authority.cert_pem.write_to_path(path)
        return str(path)

    def client(self, trust: str | None = None) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.server.url,
            region_name=REGION,
            aws_access_key_id=self.server.keys.access,
            aws_secret_access_key=self.server.keys.secret,
            verify=trust or self.trust,
            config=Config(retries={"total_max_attempts": 1}, proxies={}, s3={"addressing_style": "path"}),
        )

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        context = ssl.create_default_context(cafile=self.trust)
        with (
            socket.create_connection((self.server.host, self.server.port)) as line,
            context.wrap_socket(line, server_hostname=self.server.host) as safe,
        ):
            yield Connection(safe)

    def shown(self) -> int:
        """The serial number of the certificate that a new connection sees."""
        with self.connect() as connection:
            assert isinstance(connection.line, ssl.SSLSocket)
            found = connection.line.getpeercert()
            assert found is not None
            return int(str(found["serialNumber"]), 16)


def certificate(authority: trustme.CA, folder: Path) -> list[str]:
    """Puts a new one into the folder, and gives the options that name it."""
    made = authority.issue_cert("127.0.0.1", "localhost")
    made.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    made.private_key_pem.write_to_path(folder / "key.pem")
    return ["--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem")]


@contextmanager
def secured(folder: Path, *options: str) -> Iterator[Secured]:
    authority = trustme.CA()
    with running(folder / "data", *certificate(authority, folder), *options) as server:
        yield Secured(server, authority, folder)


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured(tmp_path_factory.mktemp("tls"), "--workers", "1") as made:
        made.client().create_bucket(Bucket="bucket")
        yield made


def test_the_address_says_https(https: Secured) -> None:
    assert https.server.url.startswith("https://127.0.0.1:")


def test_a_client_that_does_not_know_the_authority_goes_no_further(https: Secured, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    with pytest.raises(SSLError):
        https.client(str(tmp_path / "other.pem")).list_buckets()


# Sizes on both sides of where bodies pass by the parser, lie in the log, and are sent in more than one piece.
@pytest.mark.parametrize("size", [0, 10, 65_536, 200_000, 9 * MIB + 17])
def test_boto3_writes_and_reads(https: Secured, size: int) -> None:
    """Over TLS it sends its bodies unsigned, in chunks with their checksum in a trailer."""
    s3, body, sent = https.client(), noise(size), []
    s3.meta.events.register("before-send.s3.PutObject", lambda request, **_: sent.append(request.headers))
    s3.put_object(Bucket="bucket", Key=f"size/{size}", Body=body)
    assert sent[0]["x-amz-content-sha256"] == b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert s3.get_object(Bucket="bucket", Key=f"size/{size}")["Body"].read() == body
    if size > 1000:
        part = s3.get_object(Bucket="bucket", Key=f"size/{size}", Range="bytes=500-999")
        assert part["Body"].read() == body[500:1000]


def test_the_file_transfer_of_boto3_in_parts(https: Secured, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(noise(20 * MIB))
    s3 = https.client()
    s3.upload_file(str(tmp_path / "large"), "bucket", "large")
    s3.download_file("bucket", "large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == noise(20 * MIB)


def test_aws_cli(https: Secured, tmp_path: Path) -> None:
    settings = aws_settings(https.server, tmp_path) | {"AWS_CA_BUNDLE": https.trust}
    aws = Program("aws", tmp_path, settings)
    (tmp_path / "file").write_bytes(noise(9 * MIB))
    aws("s3", "cp", "--only-show-errors", str(tmp_path / "file"), "s3://bucket/cli/file")
    assert aws("s3", "cp", "s3://bucket/cli/file", "-") == noise(9 * MIB)
    assert aws.text("s3", "ls", "s3://bucket/cli/").split()[-1] == "file"


def test_an_access_log_says_how_it_was_encrypted(tmp_path: Path) -> None:
    with secured(tmp_path, "--workers", "1", "--access-log-delivery", str(SECONDS)) as made:
        s3 = made.client()
        s3.create_bucket(Bucket="bucket")
        let_write(s3, "bucket")
        log_to(s3, "bucket", "bucket", "logs/")
        with made.connect() as line:
            assert isinstance(line.line, ssl.SSLSocket)
            negotiated = line.line.cipher()
            assert negotiated is not None
            assert line.exchange(Raw(made.server).prepare("HEAD", "/bucket/key")).status == 404
        (found,) = delivered(s3, "bucket", 1, "logs/", lambda line: line["operation"] == "REST.HEAD.OBJECT")
        assert (found["tls"], found["cipher"]) == ("TLSv1.3", negotiated[0])


def test_requests_follow_each_other_on_one_connection(https: Secured) -> None:
    raw = Raw(https.server)
    with https.connect() as line:
        for number, size in enumerate([10, 300_000, 0, 3 * MIB, 70_000]):
            body = noise(size, number)
            assert line.exchange(raw.prepare("PUT", "/bucket/again", body=body)).status == 200
            found = line.exchange(raw.prepare("GET", "/bucket/again")).body
            assert hashlib.sha256(found).digest() == hashlib.sha256(body).digest()


def test_what_is_not_tls_gets_no_answer_and_harms_nobody(https: Secured) -> None:
    for nonsense in (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(300), b"\x80" * 5000):
        with socket.create_connection((https.server.host, https.server.port)) as line:
            line.sendall(nonsense)
            line.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda line=line: received(line), b""))
            assert not answer.startswith(b"HTTP")
    assert https.client().list_buckets()["Buckets"]


def test_a_client_that_begins_no_handshake_is_given_up(tmp_path: Path) -> None:
    """Before one that is idle for twenty seconds: by itself a loop would wait for a minute."""
    with secured(tmp_path, "--workers", "1", "--request-timeout", "1", "--keep-alive", "20") as https:
        raw = Raw(https.server)
        with https.connect() as idle, socket.create_connection((https.server.host, https.server.port)) as silent:
            assert idle.exchange(raw.prepare("GET", "/")).status == 200
            assert received(silent) == b""
            assert idle.exchange(raw.prepare("GET", "/")).status == 200


def test_connections_count_once_their_handshake_is_done(tmp_path: Path) -> None:
    with secured(tmp_path, "--workers", "1", "--max-connections", "2") as https, ExitStack() as stack:
        raw = Raw(https.server)
        for _ in range(5):
            stack.enter_context(socket.create_connection((https.server.host, https.server.port)))
        lines = [stack.enter_context(https.connect()) for _ in range(2)]
        for line in lines:
            assert line.exchange(raw.prepare("GET", "/")).status == 200
        with https.connect() as late:
            assert late.exchange(raw.prepare("GET", "/")).code == "SlowDown"


def received(line: socket.socket) -> bytes:
    try:
        return line.recv(65536)
    except ConnectionResetError:
        return b""


def test_versions_of_tls_that_are_broken_are_not_spoken(https: Secured) -> None:
    context = ssl.create_default_context(cafile=https.trust)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with socket.create_connection((https.server.host, https.server.port)) as line, pytest.raises(ssl.SSLError):
        context.wrap_socket(line, server_hostname=https.server.host)


def test_a_new_certificate_is_shown_after_sighup_and_nothing_under_way_is_lost(tmp_path: Path) -> None:
    with secured(tmp_path, "--workers", "1") as https:
        https.client().create_bucket(Bucket="bucket")
        raw, before = Raw(https.server), https.shown()
        upload = raw.prepare("PUT", "/bucket/large", body=noise(4 * MIB))
        with https.connect() as idle, https.connect() as slow:
            assert idle.exchange(raw.prepare("GET", "/")).status == 200
            slow.write(upload.head(), upload.body[:1000])
            (former,) = workers(https.server)
            certificate(https.authority, tmp_path)
            https.server.process.send_signal(signal.SIGHUP)
            until(lambda: https.shown() != before)
            until(lambda: len({https.shown() for _ in range(4)}) == 1)
            assert idle.exchange(raw.prepare("GET", "/")).status == 200
            slow.write(upload.body[1000:])
            assert slow.answer("PUT").status == 200
        until(lambda: former not in workers(https.server))
        assert https.client().get_object(Bucket="bucket", Key="large")["Body"].read() == noise(4 * MIB)


def test_a_new_certificate_that_is_none_changes_nothing(tmp_path: Path) -> None:
    with secured(tmp_path, "--workers", "1") as https:
        before, serving = https.shown(), workers(https.server)
        (tmp_path / "key.pem").write_text("nothing")
        https.server.process.send_signal(signal.SIGHUP)
        until(lambda: "the workers go on as they are: tls_cert" in (tmp_path / "data.log").read_text())
        assert (https.shown(), workers(https.server)) == (before, serving)


def test_a_certificate_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    options = certificate(trustme.CA(), tmp_path)
    (tmp_path / "cert.pem").write_text("nothing")
    command = ducket("serve", "--data", str(tmp_path / "data"), "--port", "0", *options)
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.returncode != 0
    assert f"tls_cert {tmp_path}/cert.pem" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
