"""The ASGI applications that rows are measured against: what uvicorn and the disk cost by themselves.

`python -m bench.bare KIND --port P` serves one of them.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import uvicorn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

HEAD: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
END: Message = {"type": "http.response.body", "body": b""}
BLOCK = 256 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, default=Path(), help="where `store` writes and `stream` reads")
    parser.add_argument("--size", type=int, default=0, help="of the body that `stream` answers with")
    options = parser.parse_args()
    serve(KINDS[options.kind](options.folder, options.size), options.port)


def serve(app: App, port: int) -> None:
    """With the settings that a worker of the gateway has, of uvicorn and of the garbage collector."""
    config = uvicorn.Config(
        app,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=[("server", "Ducket")],
        proxy_headers=False,
    )
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    uvicorn.Server(config).run()


def empty(folder: Path, size: int) -> App:
    """Answers 200 and nothing else; what a request has for a body is not read."""

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        await send(HEAD)
        await send(END)

    return app


def read(folder: Path, size: int) -> App:
    """Reads the body and drops it."""

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send(HEAD)
        await send(END)

    return app


def store(folder: Path, size: int) -> App:
    """Takes the MD5 and the SHA-256 of the body, writes it to a file and syncs that."""
    numbers = count()

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        with (folder / f"{next(numbers)}").open("wb", buffering=BLOCK) as file:
            more = True
            while more:
                message = await receive()
                body, more = message["body"], message["more_body"]
                md5.update(body)
                sha256.update(body)
                file.write(body)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        await send(HEAD)
        await send(END)

    return app


def stream(folder: Path, size: int) -> App:
    """Answers with a file, read block by block as the socket takes it."""
    path = folder / f"{size}"
    if size and not path.exists():
        path.write_bytes(os.urandom(size))
    start = {**HEAD, "headers": [(b"content-length", str(size).encode())]}

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        await send(start)
        with path.open("rb", buffering=0) as file:
            await _stream(file, size, send)

    return app


async def _stream(file: BinaryIO, size: int, send: Send) -> None:
    for offset in range(0, size, BLOCK):
        block = os.pread(file.fileno(), BLOCK, offset)
        await send({"type": "http.response.body", "body": block, "more_body": offset + BLOCK < size})


KINDS: dict[str, Callable[[Path, int], App]] = {
    "empty": empty,
    "read": read,
    "store": store,
    "stream": stream,
}

if __name__ == "__main__":
    main()
