"""An application behind a connection of ours, on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from gateway.protocol import Protocol
from gateway.s3.rendered import WHOLE
from gateway.state import State


async def app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    path = scope["path"]
    if path in ODD:
        await ODD[path](send)
    else:
        await (whole if path.startswith("/whole") else echo)(scope, receive, send)


async def whole(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """An answer in one message, its Content-Length as the path has it."""
    assert WHOLE in scope["extensions"]
    length = scope["path"].rpartition("/")[2].encode()
    head = b"content-length: %b\r\n" % length if length else b""
    await send({"type": WHOLE, "status": 200, "head": head, "body": b"" if scope["method"] == "HEAD" else b"hello"})


async def echo(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = dict(scope["headers"])
    if scope["path"] == "/headers":
        body = b";".join(b"%b=%b" % header for header in scope["headers"])
    elif b"x-target" in headers:
        body = b"%b?%b" % (scope["raw_path"], scope["query_string"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def refuse(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


async def unmeasured(send: Callable[..., Any]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def too_short(send: Callable[..., Any]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"ab"})


async def too_long(send: Callable[..., Any]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
    await send({"type": "http.response.body", "body": b"ab"})


async def silent(send: Callable[..., Any]) -> None:
    pass


async def raising(send: Callable[..., Any]) -> None:
    raise ValueError("on purpose")


ODD = {"/unmeasured": unmeasured, "/short": too_short, "/long": too_long, "/silent": silent, "/raises": raising}
Send = Callable[..., Any]


@asynccontextmanager
async def served(
    application: Callable[..., Any] = app,
    most_connections: int = 100,
    most_requests: int = 100,
    request_timeout: float = 20.0,
    patience: int = 60,
    connections: set[Any] | None = None,
) -> AsyncIterator[Send]:
    """Sends pieces one after the other, and gives what came back until the connection's end or `expected`.

    Connections may be idle for seconds of `patience`.
    """
    config = uvicorn.Config(application, ws="none", timeout_keep_alive=patience, lifespan="off", log_config=None)
    config.load()
    loop = asyncio.get_running_loop()
    state = State(most_connections, most_requests, refuse, request_timeout)
    if connections is not None:
        state.connections = connections  # for a test to look at
    server = await loop.create_server(lambda: Protocol(config, state, {}), "127.0.0.1", 0)

    async def talk(*pieces: bytes, expected: bytes = b"") -> bytes:
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

    yield talk
    server.close()
