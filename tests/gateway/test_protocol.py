from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway.protocol import MAX_HEAD, Protocol, header_lines
from gateway.s3.rendered import WHOLE


async def app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    await (whole if scope["path"].startswith("/whole") else echo)(scope, receive, send)


async def whole(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """An answer in one message, its Content-Length as the path has it."""
    assert WHOLE in scope["extensions"]
    length = scope["path"].rpartition("/")[2].encode()
    headers = [(b"content-length", length)] if length else []
    await send(
        {"type": WHOLE, "status": 200, "headers": headers, "body": b"" if scope["method"] == "HEAD" else b"hello"}
    )


async def echo(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


Exchange = Callable[..., Any]


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    """Sends pieces one after the other, and gives what came back until the connection's end or `expected`."""
    config = uvicorn.Config(app, http=Protocol, ws="none", lifespan="off", log_config=None)
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Protocol(config, ServerState(), {}), "127.0.0.1", 0)

    async def send(*pieces: bytes, expected: bytes = b"") -> bytes:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        answer = b""
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            while not (expected and answer.endswith(expected)) and (data := await reader.read(65536)):
                answer += data
        except ConnectionError:
            pass
        finally:
            writer.close()
        return answer

    yield send
    server.close()


async def test_what_is_no_request_gets_an_answer_of_s3(exchange: Exchange) -> None:
    answer = await exchange(b"this is no HTTP\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"<Code>BadRequest</Code>" in answer
    assert b"x-amz-request-id: " in answer


async def test_a_head_without_end_is_cut(exchange: Exchange) -> None:
    lines = [b"X-Filler-%d: %s\r\n" % (number, b"x" * 8000) for number in range(9)]
    answer = await exchange(b"GET / HTTP/1.1\r\nHost: a\r\n", *lines)
    assert b"<Code>RequestHeaderSectionTooLarge</Code>" in answer


async def test_a_head_in_pieces_is_put_together(exchange: Exchange) -> None:
    answer = await exchange(b"GET / HT", b"TP/1.1\r\nHo", b"st: a\r\nContent-Length: 2\r\n", b"\r\nok", expected=b"ok")
    assert answer.startswith(b"HTTP/1.1 200")


async def test_bodies_are_not_counted(exchange: Exchange) -> None:
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * MAX_HEAD)
    answer = await exchange(head, *[b"x" * 1024] * (2 * MAX_HEAD // 1024), expected=b"x" * 1024)
    assert answer.startswith(b"HTTP/1.1 200")


async def test_heads_are_counted_one_by_one(exchange: Exchange) -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Filler: %s\r\n\r\n" % (b"x" * 20_000)
    answer = await exchange(*[request] * 10, expected=b"\r\n\r\n" * 1)
    assert b"400" not in answer


async def test_an_answer_in_one_message_is_an_answer_like_any(exchange: Exchange) -> None:
    request = b"GET /whole/5 HTTP/1.1\r\nhost: x\r\n\r\n"
    answer = await exchange(request + request.replace(b"x\r", b"x\r\nconnection: close\r"))
    first, _, rest = answer.partition(b"\r\n\r\nhello")
    second, _, nothing = rest.partition(b"\r\n\r\nhello")
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close" not in first
    assert second.startswith(b"HTTP/1.1 200 OK\r\n")
    assert second.endswith(b"\r\nconnection: close")
    assert nothing == b""


async def test_an_answer_to_head_in_one_message_has_no_body(exchange: Exchange) -> None:
    answer = await exchange(b"HEAD /whole/5 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert b"\r\ncontent-length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_an_answer_without_a_length_is_framed_all_the_same(exchange: Exchange) -> None:
    answer = await exchange(b"GET /whole/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert b"\r\ntransfer-encoding: chunked\r\n" in answer
    assert answer.endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\0b"])
def test_a_value_that_would_end_its_line_is_refused(value: bytes) -> None:
    with pytest.raises(RuntimeError, match="header value"):
        header_lines([(b"a", b"b"), (b"c", value)])
