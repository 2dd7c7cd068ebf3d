"""Clients that stop, at every point of a request. What is tested is that they are let go, never when."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gateway.s3.errors import S3Error
from gateway.stalling import LEAST_PROGRESS, LOOKS
from tests.gateway.connections import Send, served

SECONDS = 0.2
ENOUGH = 64 << 20  # more than the kernel keeps for a client
NOTHING = [b""] * 200  # pieces that keep a client from reading, and send not a byte


class Application:
    """Reads a request's body, answers with as many bytes as the path says, and remembers how it went."""

    def __init__(self) -> None:
        self.stalled: list[S3Error] = []
        self.gone = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        body, more = b"", True
        try:
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
        except S3Error as error:
            self.stalled.append(error)
            await send({"type": "http.response.start", "status": 400, "headers": [(b"content-length", b"7")]})
            await send({"type": "http.response.body", "body": b"stalled"})
            return
        size = int(scope["path"][1:] or 0) or len(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
        block = bytes(100_000)
        for _ in range(size // len(block)):
            await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": bytes(size % len(block))})
        if (await receive())["type"] == "http.disconnect":
            self.gone.set()


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
async def send(application: Application) -> AsyncIterator[Send]:
    async with served(application, request_timeout=SECONDS) as talk:
        yield talk


@pytest.mark.parametrize("sent", [b"P", b"PUT /0 HTTP/1.1\r\n", b"PUT /0 HTTP/1.1\r\nhost: x\r\n"])
async def test_a_head_that_does_not_end(send: Send, sent: bytes) -> None:
    assert await send(sent) == b""


async def test_a_head_that_grows_for_ever(send: Send) -> None:
    head = b"PUT /0 HTTP/1.1\r\nhost: " + b"x" * 1000
    assert await send(*[head[at : at + 1] for at in range(len(head))]) == b""


@pytest.mark.parametrize("came", [0, 1, LEAST_PROGRESS - 1])
async def test_a_body_that_does_not_come(send: Send, application: Application, came: int) -> None:
    head = b"PUT /0 HTTP/1.1\r\nhost: x\r\ncontent-length: 10000\r\n\r\n"
    answer = await send(head + bytes(came))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"connection: close\r\n\r\nstalled")
    assert [error.code for error in application.stalled] == ["RequestTimeout"]


async def test_a_body_that_is_awaited_in_vain_after_100_continue(send: Send, application: Application) -> None:
    answer = await send(b"PUT /0 HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 ")
    assert len(application.stalled) == 1


async def test_a_body_of_a_byte_now_and_then(send: Send, application: Application) -> None:
    head = b"PUT /0 HTTP/1.1\r\nhost: x\r\ncontent-length: 10000\r\n\r\n"
    assert await send(head, *[b"x"] * 200) == b"" or application.stalled
    assert len(application.stalled) == 1


async def test_a_body_that_comes_slowly_but_comes(send: Send, application: Application) -> None:
    pieces = int(3 * SECONDS / 0.01)
    size = pieces * LEAST_PROGRESS
    head = b"PUT /2 HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size
    answer = await send(head, *[bytes(LEAST_PROGRESS)] * pieces)
    assert answer.endswith(b"\r\n\r\n\0\0")
    assert not application.stalled


async def test_an_answer_that_is_not_taken(application: Application) -> None:
    async with served(application, request_timeout=SECONDS) as send:
        # `talk` reads only once it has sent everything: until then nobody takes the answer.
        talking = asyncio.create_task(send(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % ENOUGH, *NOTHING))
        await application.gone.wait()
        assert len(await talking) < ENOUGH


async def test_an_answer_that_is_not_taken_before_the_connection_closes(application: Application) -> None:
    """A close waits for the client to take what is left of the answer, for however long that be."""
    connections: set[Any] = set()

    async def at_once(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        headers = [(b"content-length", b"%d" % ENOUGH), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(ENOUGH)})

    async with served(at_once, request_timeout=SECONDS, connections=connections) as send:
        talking = asyncio.create_task(send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", *NOTHING))
        await until(lambda: len(connections) == 1)
        await until(lambda: not connections)
        assert len(await talking) < ENOUGH


async def test_an_application_that_takes_its_time_is_nobody_s_fault() -> None:
    async def slow(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        await asyncio.sleep(2 * SECONDS + 2 * SECONDS / LOOKS)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async with served(slow, request_timeout=SECONDS) as send:
        answer = await send(b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n", expected=b"ok")
    assert answer.endswith(b"\r\n\r\nok")


async def test_an_idle_connection_is_closed(application: Application) -> None:
    async with served(application, request_timeout=SECONDS, patience=1) as send:
        assert await send() == b""
        answer = await send(b"GET /2 HTTP/1.1\r\nhost: x\r\n\r\n")
        assert answer.endswith(b"\r\n\r\n\0\0")


async def until(holds: Callable[[], bool]) -> None:
    for _ in itertools.count():
        if holds():
            return
        await asyncio.sleep(0.01)
