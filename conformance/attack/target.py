"""The server under attack: what it may answer, and what must be true of it afterwards."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import trustme

from conformance.attack.inputs import BUCKET, KEY, RULED
from conformance.raw import Raw, Request
from conformance.server import Server, running
from conformance.workers import workers

# Of one worker at its peak; it has 90 to 110 MiB when it starts.
MOST_MEMORY = 400 << 20

# What is said of those that are known not to be built, and of nothing else.
NOT_BUILT = 501


class Harm(AssertionError):
    """An answer that no input may get, or a server that an input has changed."""


@dataclass
class Target:
    server: Server
    tls: ssl.SSLContext | None = None
    raw: Raw = field(init=False)
    processes: set[int] = field(init=False)
    answered: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.raw = Raw(self.server, tls=self.tls)
        self.raw.put(f"/{BUCKET}")
        self.raw.put(f"/{BUCKET}/{KEY}", b"content")
        rules = {"x-amz-bucket-object-lock-enabled": "true", "x-amz-object-ownership": "ObjectWriter"}
        self.raw.put(f"/{RULED}", headers=rules)
        self.raw.put(f"/{RULED}/{KEY}", b"content")
        self.processes = workers(self.server)

    def throw(self, data: bytes) -> None:
        """Bytes and no more: the server answers or not, and ends the connection."""
        with self.raw.connect() as connection:
            answer = b"".join(pieces(connection.line, data))
        for line in answer.split(b"\r\n"):
            if line.startswith(b"HTTP/1.1 "):
                self.note(int(line.split()[1]), data)

    def knock(self, data: bytes) -> None:
        """Bytes where a TLS handshake is awaited: whatever comes back is no HTTP."""
        with socket.create_connection((self.server.host, self.server.port)) as line:
            if b"HTTP/" in b"".join(pieces(line, data)):
                raise Harm(f"answered in the clear to {data!r}")
        self.note(0, data)

    def ask(self, request: Request) -> None:
        """A request with an end: it has an answer."""
        with self.raw.connect() as connection:
            connection.write(request.head())
            try:
                connection.write(request.body)
                self.note(connection.answer(request.method).status, request)
            except ConnectionError:
                return  # refused, and gone before the body was out
            except HTTPException as failure:
                raise Harm(f"{failure!r} in answer to {request}") from failure

    def note(self, status: int, sent: object) -> None:
        self.answered[status] = self.answered.get(status, 0) + 1
        if status >= 500 and status != NOT_BUILT:
            raise Harm(f"{status} in answer to {sent!r}")

    def check(self) -> None:
        """The same processes, of a bounded size, that have nothing to complain of and still answer."""
        if workers(self.server) != self.processes:
            raise Harm("a worker has died")
        for worker in self.processes:
            if (peak := peak_memory(worker)) > MOST_MEMORY:
                raise Harm(f"a worker has taken {peak >> 20} MiB")
        log = self.server.data.parent / f"{self.server.data.name}.log"
        for line in log.read_text().splitlines():
            if not line.startswith("{") or json.loads(line)["level"] in ("error", "critical"):
                raise Harm(line)
        if self.raw.get(f"/{BUCKET}", {"list-type": "2"}).status != 200:
            raise Harm("the bucket is not listed any more")


def pieces(line: socket.socket, data: bytes) -> Iterator[bytes]:
    try:
        line.sendall(data)
        socket.socket.shutdown(line, socket.SHUT_WR)  # of the connection: TLS's own forgets how to read
        while piece := line.recv(65536):
            yield piece
    except (ConnectionError, ssl.SSLError):
        return


def peak_memory(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


@contextmanager
def under_attack(folder: Path, tls: bool = False) -> Iterator[Target]:
    options, context = ["--workers", "2"], None
    if tls:
        authority = trustme.CA()
        pair = authority.issue_cert("127.0.0.1")
        pair.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        pair.private_key_pem.write_to_path(folder / "key.pem")
        options += ["--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem")]
        context = ssl.create_default_context()
        authority.configure_trust(context)
    with running(folder / "data", *options) as server:
        yield Target(server, context)
