"""Bodies that lie in files, on their way to clients who take them fast, slowly, or not at all."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.blobs import Blobs
from gateway.blobs.reading import BURST
from gateway.s3.rendered import FILE
from tests.gateway.connections import Send, served

SIZE = 5 * BURST + 12345


class Files:
    """An application that answers with a blob, in as many pieces as the path says, each between two bytes of ours."""

    def __init__(self, blobs: Blobs, blob: bytes) -> None:
        self.blobs = blobs
        self.blob = blob
        self.left: list[int] = []
        self.ended = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        assert FILE in scope["extensions"]
        pieces = int(scope["path"][1:])
        length = pieces * (SIZE - 7 + 2)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % length)]})
        for _ in range(pieces):
            reader = self.blobs.reader(self.blob, 7, SIZE - 7)
            await send({"type": "http.response.body", "body": b"<", "more_body": True})
            await send({"type": FILE, "file": reader})
            self.left.append(reader.left)
            reader.close()
            await send({"type": "http.response.body", "body": b">", "more_body": True})
        await send({"type": "http.response.body"})
        self.ended.set()


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Files]:
    blobs = Blobs(tmp_path)
    async with blobs.new() as blob:
        await blob.write(os.urandom(SIZE))
        blob_id, _, _ = await blob.finish()
    yield Files(blobs, blob_id)
    blobs.close()


@asynccontextmanager
async def connected(files: Files) -> AsyncIterator[socket.socket]:
    """A line to the application, with a buffer of its own that is small."""
    address = []

    async def learn(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["path"] == "/address":
            address.append(scope["server"])
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
        else:
            await files(scope, receive, send)

    async with served(learn) as talk:
        await talk(b"GET /address HTTP/1.1\r\nconnection: close\r\n\r\n")
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, address[0])
        yield line
        line.close()


def request(pieces: int, more: bytes = b"") -> bytes:
    return b"GET /%d HTTP/1.1\r\nhost: x\r\n%b\r\n" % (pieces, more)


def bodies(files: Files, pieces: int) -> bytes:
    content = files.blobs.path(files.blob).read_bytes()[7:SIZE]
    return b"<%b>" % content * pieces


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def whole(files: Files, send: Send, pieces: int) -> bytes:
    answer: bytes = await send(request(pieces, b"connection: close\r\n"))
    return answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("pieces", [1, 3])
async def test_files_among_other_bytes_come_in_order(files: Files, pieces: int) -> None:
    async with served(files) as send:
        assert await whole(files, send, pieces) == bodies(files, pieces)
    assert files.left == [0] * pieces


async def test_what_is_not_in_the_page_cache_comes_too(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.blobs.reading.NO_WAIT", 0)
    async with served(files) as send:
        assert await whole(files, send, 1) == bodies(files, 1)


async def test_the_next_request_follows_on_the_same_connection(files: Files) -> None:
    async with served(files) as send:
        answer = await send(request(2) + request(1, b"connection: close\r\n"))
    first, second = answer.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert first.partition(b"\r\n\r\n")[2] == bodies(files, 2)
    assert second.partition(b"\r\n\r\n")[2] == bodies(files, 1)


async def test_a_client_that_takes_little_at_a_time_gets_it_all(files: Files) -> None:
    loop = asyncio.get_running_loop()
    async with connected(files) as line:
        await loop.sock_sendall(line, request(2, b"connection: close\r\n"))
        answer = b""
        while data := await loop.sock_recv(line, 30_000):
            answer += data
    assert answer.partition(b"\r\n\r\n")[2] == bodies(files, 2)


async def test_a_client_that_takes_nothing_keeps_nobody_waiting(files: Files) -> None:
    loop = asyncio.get_running_loop()
    async with connected(files) as slow, connected(files) as fast:
        await loop.sock_sendall(slow, request(1))
        await loop.sock_sendall(fast, request(1, b"connection: close\r\n"))
        answer = b""
        while data := await loop.sock_recv(fast, 1 << 20):
            answer += data
        assert answer.partition(b"\r\n\r\n")[2] == bodies(files, 1)
        assert files.left == [0]


@pytest.mark.parametrize("reset", [True, False])
async def test_a_client_that_goes_away_holds_no_descriptor(files: Files, reset: bool) -> None:
    loop = asyncio.get_running_loop()
    async with served(files) as send:
        await whole(files, send, 1)
    files.ended.clear()
    before = open_files()
    async with connected(files) as line:
        await loop.sock_sendall(line, request(40))
        await loop.sock_recv(line, 1000)
        if reset:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()
        await files.ended.wait()
    assert files.left[-1] > 0
    async with served(files) as send:
        await whole(files, send, 1)
    assert open_files() <= before


async def test_a_file_longer_than_the_head_says_ends_the_connection(files: Files) -> None:
    async def lying(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": FILE, "file": files.blobs.reader(files.blob, 0, SIZE)})

    async with served(lying) as send:
        answer = await send(request(1))
    assert answer.endswith(b"\r\n\r\n")
