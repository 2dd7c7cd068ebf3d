"""Large bodies past the parser, and what comes on the connection before and after them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import Any

import pytest
import uvloop

from gateway.blobs.blocks import BLOCK
from gateway.filling import LARGE
from tests.gateway.connections import Send, served


class Application:
    """Answers with the digest of what it read: all, or for /N only the first N messages."""

    def __init__(self) -> None:
        self.messages: list[int] = []

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        digest, more, enough = sha256(), True, int(scope["path"][1:] or 1 << 30)
        self.messages.clear()
        while more and len(self.messages) < enough:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            digest.update(message["body"])
            self.messages.append(len(message["body"]))
            more = message["more_body"]
        text = digest.hexdigest().encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64")]})
        await send({"type": "http.response.body", "body": text})


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
async def send(application: Application) -> AsyncIterator[Send]:
    async with served(application) as talk:
        yield talk


def request(body: bytes, path: str = "/", close: bool = False) -> bytes:
    end = "connection: close\r\n" if close else ""
    return f"PUT {path} HTTP/1.1\r\nhost: x\r\n{end}content-length: {len(body)}\r\n\r\n".encode() + body


def digests(answer: bytes) -> list[bytes]:
    return [part[-64:] for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]]


SIZES = [LARGE, LARGE + 70_000, BLOCK, 3 * BLOCK + LARGE + 17]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_body_arrives_whole(size: int, loop: str) -> None:
    async def talk() -> tuple[bytes, list[int]]:
        application = Application()
        async with served(application) as send:
            return await send(request(body, close=True)), application.messages

    body = os.urandom(size)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        answer, messages = runner.run(talk())
    assert digests(answer) == [sha256(body).hexdigest().encode()]
    assert sum(messages) == size


async def test_large_pieces_come_as_such(send: Send, application: Application) -> None:
    await send(request(bytes(8 * BLOCK), close=True))
    assert application.messages.count(BLOCK) >= 7


async def test_requests_follow_each_other(send: Send) -> None:
    """In one write: what belongs to the next request must not be taken for the body, nor the other way round."""
    bodies = [os.urandom(size) for size in (0, 5, *SIZES, 7, *SIZES, 100_000)]
    requests = [request(body, close=number == len(bodies)) for number, body in enumerate(bodies, 1)]
    answer = await send(b"".join(requests))
    assert digests(answer) == [sha256(body).hexdigest().encode() for body in bodies]


async def test_a_body_in_pieces(send: Send) -> None:
    body = os.urandom(2 * BLOCK)
    whole = request(body, close=True)
    pieces = [whole[:20], whole[20:80], whole[80:1000], whole[1000:300_000], whole[300_000:-1], whole[-1:]]
    assert digests(await send(*pieces)) == [sha256(body).hexdigest().encode()]


async def test_chunks_of_http_are_the_parser_s(send: Send) -> None:
    body = os.urandom(LARGE)
    head = b"PUT / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    assert digests(await send(head, chunk, chunk, b"0\r\n\r\n")) == [sha256(body * 2).hexdigest().encode()]


@pytest.mark.parametrize("messages", [1, 2, 3])
async def test_an_answer_before_the_end_of_the_body(send: Send, messages: int) -> None:
    """What nobody reads any more is passed over, up to the next request."""
    body, next_body = bytes(5 * BLOCK), os.urandom(SIZES[1])
    answer = await send(request(body, f"/{messages}"), request(next_body, close=True))
    assert digests(answer)[1] == sha256(next_body).hexdigest().encode()


async def test_a_client_that_hangs_up_within_the_body() -> None:
    came, ended = asyncio.Event(), asyncio.Event()

    async def reading(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        while (await receive())["type"] != "http.disconnect":
            came.set()
        ended.set()

    async with served(reading) as send:
        talking = asyncio.create_task(send(request(bytes(5 * BLOCK))[: 3 * BLOCK]))
        await came.wait()
        talking.cancel()
        await ended.wait()
