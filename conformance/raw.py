"""HTTP by hand: what is sent is exactly what the test wrote, what is seen is exactly what the server wrote."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPResponse

from lxml import etree

from conformance.content import content_md5
from conformance.server import Server
from conformance.signing import (
    STREAMING,
    STREAMING_TRAILER,
    UNSIGNED_TRAILER,
    Headers,
    Query,
    Signer,
    encode_path,
    encode_query,
    frames,
)


@dataclass
class Request:
    """Ready to send; a test may spoil any of it first."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""

    def head(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) < 2, f"{name} came {len(found)} times"
        return found[0] if found else None

    def names(self) -> set[str]:
        return {name.lower() for name, _ in self.headers}

    @property
    def root(self) -> etree._Element:
        assert self.body.startswith(b"<?xml"), self.body
        return etree.fromstring(self.body)

    @property
    def code(self) -> str | None:
        return self.text("Code")

    def text(self, path: str) -> str | None:
        """The text at a path of local names, whatever the namespace; "" for an empty element."""
        found = self.all(path)
        return (found[0].text or "") if found else None

    def texts(self, path: str) -> list[str]:
        return [element.text or "" for element in self.all(path)]

    def all(self, path: str) -> list[etree._Element]:
        steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
        found = self.root.xpath(steps)
        assert isinstance(found, list)
        return [element for element in found if isinstance(element, etree._Element)]


@dataclass(frozen=True)
class Raw:
    server: Server
    signer: Signer | None = field(default=None)
    tls: ssl.SSLContext | None = field(default=None)

    def signing(self, **change: object) -> Signer:
        """A signer of this moment, with some of it set otherwise."""
        return replace(self.signer or Signer(self.server.keys), **change)  # type: ignore[arg-type]

    @property
    def host(self) -> str:
        return f"{self.server.host}:{self.server.port}"

    def prepare(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        headers: Headers | None = None,
        body: bytes = b"",
        *,
        payload: str | None = None,
        signer: Signer | None = None,
    ) -> Request:
        """Signed in the Authorization header. `path` is the decoded one; `payload` defaults to the body's SHA-256."""
        query, headers = query or {}, {"Host": self.host} | (headers or {})
        payload = payload or hashlib.sha256(body).hexdigest()
        target = encode_path(path)
        headers = (signer or self.signing()).authorize(method, target, query, headers, payload)
        if query:
            target += f"?{encode_query(query)}"
        if body or method in ("PUT", "POST"):
            headers["Content-Length"] = str(len(body))
        return Request(method, target, headers, body)

    def presign(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        headers: Headers | None = None,
        body: bytes = b"",
        *,
        expires: int | str = 300,
        signer: Signer | None = None,
    ) -> Request:
        headers = {"Host": self.host} | (headers or {})
        target = encode_path(path)
        signed = (signer or self.signing()).presign(method, target, query or {}, headers, expires)
        length = {"Content-Length": str(len(body))} if body or method in ("PUT", "POST") else {}
        return Request(method, f"{target}?{encode_query(signed)}", headers | length, body)

    def chunked(
        self,
        path: str,
        chunks: list[bytes],
        trailers: Headers | None = None,
        *,
        query: Query | None = None,
        headers: Headers | None = None,
        signed: bool = True,
        method: str = "PUT",
    ) -> Request:
        """A request in aws-chunked framing: signed chunks or not, with trailers or without."""
        payload = (STREAMING_TRAILER if trailers else STREAMING) if signed else UNSIGNED_TRAILER
        more = {
            "Content-Encoding": "aws-chunked",
            "x-amz-decoded-content-length": str(sum(map(len, chunks))),
        }
        if trailers:
            more["x-amz-trailer"] = ",".join(trailers)
        signer = self.signing()
        request = self.prepare(method, path, query, more | (headers or {}), payload=payload, signer=signer)
        seed = request.headers["Authorization"].rpartition("Signature=")[2]
        request.body = b"".join(frames(signer, seed, chunks, trailers, signed=signed))
        request.headers["Content-Length"] = str(len(request.body))
        return request

    def plain(self, method: str, target: str, headers: Headers | None = None, body: bytes = b"") -> Request:
        """Not signed at all."""
        length = {"Content-Length": str(len(body))} if body or method in ("PUT", "POST") else {}
        return Request(method, target, {"Host": self.host} | (headers or {}) | length, body)

    def send(self, request: Request) -> Answer:
        with self.connect() as connection:
            return connection.exchange(request)

    def get(self, path: str, query: Query | None = None, headers: Headers | None = None) -> Answer:
        return self.send(self.prepare("GET", path, query, headers))

    def head(self, path: str, query: Query | None = None, headers: Headers | None = None) -> Answer:
        return self.send(self.prepare("HEAD", path, query, headers))

    def put(self, path: str, body: bytes = b"", query: Query | None = None, headers: Headers | None = None) -> Answer:
        return self.send(self.prepare("PUT", path, query, headers, body))

    def put_document(self, path: str, body: bytes, query: Query) -> Answer:
        """With the Content-MD5 that some operations insist on for their XML."""
        return self.put(path, body, query, {"Content-MD5": content_md5(body)})

    def post(self, path: str, body: bytes = b"", query: Query | None = None, headers: Headers | None = None) -> Answer:
        return self.send(self.prepare("POST", path, query, headers, body))

    def delete(self, path: str, query: Query | None = None, headers: Headers | None = None) -> Answer:
        return self.send(self.prepare("DELETE", path, query, headers))

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with socket.create_connection((self.server.host, self.server.port)) as line:
            if self.tls is None:
                yield Connection(line)
                return
            with self.tls.wrap_socket(line, server_hostname=self.server.host) as safe:
                yield Connection(safe)


@dataclass
class Connection:
    """One TCP connection, kept alive from request to request."""

    line: socket.socket

    def exchange(self, request: Request) -> Answer:
        self.write(request.head(), request.body)
        return self.answer(request.method)

    def write(self, *parts: bytes) -> None:
        for part in parts:
            if part:
                self.line.sendall(part)

    def write_slowly(self, body: bytes, sizes: Iterable[int]) -> None:
        """In segments of the given sizes, so that frames break anywhere."""
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = 0
        for size in sizes:
            self.write(body[start : start + size])
            start += size
        self.write(body[start:])

    def interim(self) -> str:
        """The status line of an informational answer, read to its end."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.line.recv(1)
            assert byte, f"the connection was closed after {head!r}"
            head += byte
        return head.split(b"\r\n")[0].decode()

    def answer(self, method: str = "GET") -> Answer:
        response = HTTPResponse(self.line, method=method)
        response.begin()
        body = response.read()
        return Answer(response.status, response.getheaders(), body)
