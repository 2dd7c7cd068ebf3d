"""The load against a peer that answers as each test says, byte by byte."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest

from bench.load import Batch, LoadFailed, Measured, Outgoing, drive

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@contextmanager
def peer(answer: Answer) -> Iterator[tuple[str, int]]:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def answering(*pieces: bytes) -> Answer:
    """Each request gets the pieces, sent one by one."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.002 if len(pieces) > 1 else 0)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return answer


def measured(answer: Answer, batch: Batch, connections: int = 2, seconds: float = 0.0) -> Measured:
    with peer(answer) as address:
        return drive(address, batch, connections, seconds)


def gets(count: int, length: int | None = 5, **named: bool | int) -> Batch:
    return Batch([Outgoing(GET)] * count, 200, length, **named)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pieces",
    [
        (OK,),
        (OK[:-5], OK[-5:]),
        (OK[:20], OK[20:]),
        (OK[:-6], OK[-6:-3], OK[-3:]),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"2\r\nhe\r\n3\r\nl", b"lo\r\n0\r\n\r\n"),
    ],
    ids=["at once", "head and body", "within the head", "at the empty line", "chunked"],
)
def test_an_answer_may_come_in_any_pieces(pieces: tuple[bytes, ...]) -> None:
    found = measured(answering(*pieces), gets(10))
    assert (found.done, found.sent, len(found.latencies), found.errors.total()) == (10, 10, 10, 0)
    assert found.rate > 0


def test_the_answer_to_head_has_a_length_and_no_body() -> None:
    found = measured(answering(OK[:-5]), gets(10, bodiless=True))
    assert (found.done, found.errors.total()) == (10, 0)


def test_repeats_until_the_time_is_over() -> None:
    found = measured(answering(OK), gets(3, repeat=True), seconds=0.2)
    assert found.done > 3
    assert 0.2 <= found.seconds < 5


def test_stops_when_the_batch_is_over() -> None:
    assert measured(answering(OK), gets(3), connections=8, seconds=60).done == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 503 Slow Down\r\nContent-Length: 5\r\n\r\nhello", "status 503"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell", "length 4"),
        (OK + b"!", "bytes after the answer"),
        (
            b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "status 404",
        ),
    ],
)
def test_counts_what_is_wrong(answer: bytes, error: str) -> None:
    found = measured(answering(answer), gets(4), connections=1)
    assert found.errors[error] >= 1


def test_a_length_may_have_only_a_least() -> None:
    assert not measured(answering(OK), gets(4, None, at_least=5)).errors
    assert measured(answering(OK), gets(4, None, at_least=6)).errors == {"length 5": 4}


def test_gives_up_when_all_is_wrong() -> None:
    with pytest.raises(LoadFailed, match=r"status 500.*InternalError"):
        measured(
            answering(b"HTTP/1.1 500 Oops\r\nContent-Length: 13\r\n\r\nInternalError"),
            gets(1000, repeat=True),
        )


def test_a_connection_that_breaks_is_an_error_and_made_anew() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK[:-2])
        writer.close()

    found = measured(half, gets(6))
    assert (found.done, found.sent) == (0, 6)
    assert found.errors == {"connection: closed by the peer": 6}


def test_a_peer_may_close_after_each_answer_if_it_says_so() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        writer.close()

    found = measured(once, gets(6))
    assert (found.done, found.errors.total()) == (6, 0)


def test_sends_a_large_body_whole() -> None:
    body = memoryview(bytes(range(256)) * 40_000)
    received: list[bytes] = []

    async def taking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        received.append(await reader.readexactly(len(body)))
        writer.write(OK)

    with peer(taking) as address:
        found = drive(address, Batch([Outgoing(GET, body)], 200, 5), 1)
    assert (found.done, found.errors.total()) == (1, 0)
    assert received == [bytes(body)]


def test_waits_for_100_continue() -> None:
    early: list[int] = []

    async def inviting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.02)
            early.append(len(reader._buffer))  # type: ignore[attr-defined]
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await reader.readexactly(4)
            writer.write(OK)

    found = measured(inviting, Batch([Outgoing(GET, memoryview(b"body"))] * 3, 200, 5, expects=True), 1)
    assert (found.done, found.errors.total()) == (3, 0)
    assert early == [0, 0, 0]


def test_an_answer_before_the_body_is_wrong() -> None:
    found = measured(answering(OK), Batch([Outgoing(GET, memoryview(b"body"))] * 2, 200, 5, expects=True), 1)
    assert found.errors == {"answered before the body was sent": 2}
