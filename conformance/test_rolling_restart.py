"""SIGHUP: new workers with the settings as they are now, and no request is lost on the way."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

from conformance.content import MIB, noise
from conformance.raw import Connection, Raw
from conformance.server import Server, running
from conformance.workers import until, workers


class Client(threading.Thread):
    """Puts and gets until it is told to stop, never tries again, and keeps what went wrong."""

    def __init__(self, server: Server, number: int, stop: threading.Event, reconnecting: bool, pause: float) -> None:
        super().__init__()
        self.raw = Raw(server)
        self.number = number
        self.stop = stop
        self.reconnecting = reconnecting
        self.random = random.Random(number)
        self.pause = pause
        self.done = 0
        self.wrong: list[object] = []

    def run(self) -> None:
        while not self.stop.is_set():
            with self.raw.connect() as line:
                try:
                    self.use(line)
                except Exception as failure:
                    self.wrong.append(failure)
                    return

    def use(self, line: Connection) -> None:
        while not self.stop.is_set():
            key, body = f"/bucket/{self.number}/{self.done}", noise(self.random.choice([10, 100_000]), self.done)
            for request in (self.raw.prepare("PUT", key, body=body), self.raw.prepare("GET", key)):
                answer = line.exchange(request)
                if answer.status != 200 or (request.method == "GET" and answer.body != body):
                    self.wrong.append(answer)
                self.done += 1
                time.sleep(self.random.random() * self.pause)
                if answer.header("connection") == "close":
                    return
            if self.reconnecting:
                return


def renew(server: Server) -> None:
    """Returns when none of the former workers is there any more."""
    former = workers(server)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: not workers(server) & former)


def has_begun(server: Server, former: set[int]) -> bool:
    """Whether both new workers are there, and one of the former is about to go."""
    assert "the workers go on as they are" not in Path(f"{server.data}.log").read_text()
    now = workers(server)
    return len(now - former) == 2 and len(now & former) <= 1


def test_a_rolling_restart_drops_no_request(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as server:
        raw = Raw(server)
        assert raw.put("/bucket").status == 200
        stop = threading.Event()
        clients = [Client(server, number, stop, number % 2 == 0, number % 3) for number in range(9)]
        for client in clients:
            client.start()
        upload = raw.prepare("PUT", "/bucket/large", body=noise(8 * MIB))
        with raw.connect() as slow:
            slow.write(upload.head(), upload.body[:1000])
            for _ in range(2):
                until(lambda: all(client.done > 20 for client in clients if not client.pause))
                former = workers(server)
                server.process.send_signal(signal.SIGHUP)
                until(lambda former=former: has_begun(server, former))
            slow.write(upload.body[1000:])
            answer = slow.answer("PUT")
            assert (answer.status, answer.header("connection")) == (200, "close")
        until(lambda: len(workers(server)) == 2)
        stop.set()
        for client in clients:
            client.join()
        assert [client.wrong for client in clients if client.wrong] == []
        assert all(client.done for client in clients)
        assert raw.get("/bucket/large").body == noise(8 * MIB)


def test_a_connection_that_waits_to_be_taken_is_taken_by_the_new_worker(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        raw = Raw(server)
        (former,) = workers(server)
        os.kill(former, signal.SIGSTOP)
        with raw.connect() as early, raw.connect() as late:
            early.write(raw.prepare("GET", "/").head())
            server.process.send_signal(signal.SIGHUP)
            assert early.answer("GET").status == 200
            until(lambda: len(workers(server)) == 2)
            os.kill(former, signal.SIGCONT)
            until(lambda: former not in workers(server))
            assert late.exchange(raw.prepare("GET", "/")).status == 200


def test_an_idle_connection_is_answered_once_more_and_told_that_it_ends(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        raw = Raw(server)
        (former,) = workers(server)
        with raw.connect() as busy, raw.connect() as idle:
            for line in (busy, idle):
                assert line.exchange(raw.prepare("GET", "/")).header("connection") is None
            server.process.send_signal(signal.SIGHUP)
            until(lambda: len(workers(server)) == 2)
            while busy.exchange(raw.prepare("GET", "/")).header("connection") != "close":
                assert former in workers(server)
            assert busy.line.recv(1) == b""
            assert idle.line.recv(1) == b""
        until(lambda: former not in workers(server))


def test_settings_are_read_again(tmp_path: Path) -> None:
    file = tmp_path / "ducket.toml"
    file.write_text("workers = 1\nregion = 'us-east-1'\n")
    with running(tmp_path / "data", "--config", str(file)) as server:
        raw = Raw(server)
        for count in (3, 1, 2):
            file.write_text(f"workers = {count}\nregion = 'us-east-1'\n")
            renew(server)
            assert len(workers(server)) == count
            assert [raw.get("/").status for _ in range(20)] == [200] * 20
        file.write_text("workers = 2\nregion = 'eu-west-3'\nhost = '127.0.0.2'\ncompaction_rate = 1\n")
        renew(server)
        assert raw.get("/").code == "AuthorizationHeaderMalformed"
        log = (tmp_path / "data.log").read_text()
        assert "host, compaction_rate: only a new start" in log


def test_settings_that_are_wrong_change_nothing(tmp_path: Path) -> None:
    file, log = tmp_path / "ducket.toml", tmp_path / "data.log"
    file.write_text("workers = 1\n")
    with running(tmp_path / "data", "--config", str(file)) as server:
        before = workers(server)
        for text, said in (("workers = 'many'\n", "is no N"), (f"request_log = '{tmp_path}'\n", "did not start")):
            file.write_text(text)
            server.process.send_signal(signal.SIGHUP)
            until(lambda said=said: said in log.read_text())
            until(lambda: workers(server) == before)
            assert Raw(server).get("/").status == 200
