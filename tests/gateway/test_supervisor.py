"""Real server processes: they start, serve, survive their workers, and stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway.supervisor import holder

ROOT = Path(__file__).resolve().parent.parent.parent


class Server:
    def __init__(self, process: subprocess.Popen[str], data: Path, errors: Path) -> None:
        self.process = process
        self.data = data
        self.errors = errors
        self.lines: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith("http://"):
                break
        self.url = self.lines[-1] if self.lines else ""

    def get(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def connect(self) -> socket.socket:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return socket.create_connection((host, int(port)))

    def signed(self, method: str, path: str, length: int = 0) -> bytes:
        """The head of a request, its body unsigned."""
        access_key, secret_key = (self.data / "root.key").read_text().split()
        headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD", "content-length": str(length)}
        request = AWSRequest(method, self.url + path, headers, b"")
        SigV4Auth(Credentials(access_key, secret_key), "s3", "us-east-1").add_auth(request)
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        host = self.url.removeprefix("http://")
        return "\r\n".join([f"{method} {path} HTTP/1.1", f"host: {host}", *lines, "", ""]).encode()

    def exchange(self, method: str, path: str) -> bytes:
        with self.connect() as connection:
            connection.sendall(self.signed(method, path))
            return connection.recv(100_000)

    def workers(self) -> list[int]:
        return children(self.process.pid, "gateway.worker")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait()


@contextmanager
def serving(data: Path, *options: str) -> Iterator[Server]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DUCKET_")}
    command = [sys.executable, "-m", "gateway.cli", "serve", "--data", str(data), "--port", "0", *options]
    errors = data.parent / "errors.log"
    with errors.open("w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT, env=environment)
    try:
        yield Server(process, data, errors)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def children(parent: int, command: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status, line = (folder / "stat").read_text(), (folder / "cmdline").read_text()
        except OSError:
            continue
        if int(status.rpartition(")")[2].split()[1]) == parent and command in line:
            found.append(int(folder.name))
    return sorted(found)


def until(condition: object) -> None:
    assert callable(condition)
    while not condition():
        time.sleep(0.02)


def running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_first_start_prints_the_key_once_and_the_address_on_one_line(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--workers", "1") as server:
        access, secret, address = server.lines
        assert access.startswith("root access key: DUCK")
        assert secret.startswith("root secret key: ")
        assert address.startswith("http://127.0.0.1:")
        assert server.get("/-/health/ready") == 200
        assert server.get("/") == 403
        assert server.stop() == 0
    with serving(tmp_path / "data", "--workers", "1") as server:
        assert server.lines == [server.url]


def test_workers_share_the_port_and_come_back(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--workers", "2") as server:
        first, second = server.workers()
        os.kill(first, signal.SIGKILL)
        until(lambda: len(set(server.workers()) - {first}) == 2)
        assert second in server.workers()
        until(lambda: server.get("/-/health/live") == 200)
        assert server.stop(signal.SIGINT) == 0
        assert not server.workers()
    assert "worker 1 ended with status -9" in server.errors.read_text()


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--workers", "1") as server:
        told = holder(tmp_path / "data")
        assert told is not None
        assert (told["pid"], told["address"]) == (server.process.pid, server.url)
        with serving(tmp_path / "data", "--workers", "1") as other:
            assert other.process.wait() == 1
            assert "a server runs on this folder already" in other.errors.read_text()
        server.stop()
    assert holder(tmp_path / "data") is None


def test_a_port_that_is_taken_is_not_shared_with_strangers(tmp_path: Path) -> None:
    with serving(tmp_path / "one", "--workers", "1") as server:
        port = server.url.rpartition(":")[2]
        (tmp_path / "other").mkdir()
        with serving(tmp_path / "other" / "data", "--workers", "1", "--port", port) as other:
            assert other.process.wait() == 1
            assert "is taken" in other.errors.read_text()


def test_workers_do_not_outlive_their_supervisor(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--workers", "2") as server:
        workers = server.workers()
        server.stop(signal.SIGKILL)
        until(lambda: not any(map(running, workers)))


def test_a_request_under_way_is_finished_before_the_stop(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--workers", "1") as server:
        assert server.exchange("PUT", "/bucket").startswith(b"HTTP/1.1 200")
        with server.connect() as connection:
            connection.sendall(server.signed("PUT", "/bucket/key", 2_000_000) + b"x" * 1000)
            server.process.terminate()
            time.sleep(0.3)
            connection.sendall(b"x" * 1_999_000)
            answer = connection.recv(100_000)
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in answer
        assert server.process.wait() == 0
    with serving(tmp_path / "data", "--workers", "1") as server:
        assert b"content-length: 2000000" in server.exchange("HEAD", "/bucket/key")


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--workers", "1") as server:
        server.exchange("PUT", "/bucket")
        with server.connect() as connection:
            connection.sendall(server.signed("PUT", "/bucket/key", 2_000_000) + b"x" * 1000)
            server.process.terminate()
            time.sleep(0.1)
            server.process.terminate()
            time.sleep(0.9)
            assert server.process.poll() is None
            server.process.terminate()
            assert server.process.wait() == 0
    with serving(tmp_path / "data", "--workers", "1") as server:
        assert server.exchange("HEAD", "/bucket/key").startswith(b"HTTP/1.1 404")
        assert not list((tmp_path / "data" / "tmp").iterdir())


def test_requests_are_logged_where_they_shall_be(tmp_path: Path) -> None:
    log = tmp_path / "requests.log"
    with serving(tmp_path / "data", "--workers", "1", "--request-log", str(log)) as server:
        server.get("/absent")
        server.stop()
    (line,) = log.read_text().splitlines()
    assert json.loads(line)["error"] == "NoSuchBucket"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_during_the_start_is_a_stop(tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "gateway.cli", "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    until(lambda: (tmp_path / "data" / "serve.lock").exists())
    threading.Timer(0.1, process.send_signal, [number]).start()
    assert process.wait() == 0
