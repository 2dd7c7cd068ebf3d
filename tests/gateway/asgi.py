"""An ASGI server of no server: what an application is asked and what it answers, as plain values."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False
    taken: int = 0  # messages of the request that were asked for


async def ask(
    application: Callable[..., Any],
    method: str = "GET",
    target: str = "/",
    headers: dict[str, str] | None = None,
    body: list[bytes] | None = None,
    hang_up_after: int | None = None,
) -> Answer:
    """`hang_up_after` counts the messages of the answer's body that the client waits for."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [
            (name.encode(), value.encode()) for name, value in ({"host": "127.0.0.1:9000"} | (headers or {})).items()
        ],
        "client": ("127.0.0.1", 50000),
    }
    answer = Answer()
    chunks = list(body or [])
    gone = asyncio.Event()
    bodies = 0

    async def receive() -> dict[str, Any]:
        answer.taken += 1
        if chunks:
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}
        if answer.taken == 1:
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal bodies
        await asyncio.sleep(0)
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
            return
        answer.body += bytes(message.get("body", b""))
        answer.whole = not message.get("more_body", False)
        bodies += 1
        if bodies == hang_up_after:
            gone.set()

    await application(scope, receive, send)
    return answer
