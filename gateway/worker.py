"""One worker process: `python -m gateway.worker FD…`, listening sockets it is born with, settings on standard input."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
import sys
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn

from gateway import logging
from gateway.app import Application
from gateway.protocol import Protocol
from gateway.settings import Settings, undump
from gateway.state import State

READY = b"ready\n"


def main() -> None:
    given = sys.stdin.buffer.readline()
    if not given:
        return  # the supervisor went before it came to that
    settings = undump(given)
    logging.configure()
    # uvicorn raises the signal that stopped it once more, when all is done.
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    files = more_files()
    application = Application(settings)
    worker = Worker(configuration(settings, application), settings.request_timeout)
    # A request may have a file or two open, and as many connections may be on their way out as are let stay.
    most = max(1, min(settings.max_connections, files // 4))
    worker.server_state = State(most, settings.max_requests, application.slow_down, settings.request_timeout)
    worker.run(sockets=[socket.socket(fileno=int(number)) for number in sys.argv[1:]])


def more_files() -> int:
    """How many files the process may have open: from now on all that the system lets it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def configuration(settings: Settings, application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="uvloop",
        http=Protocol,
        interface="asgi3",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=[("server", "Ducket")],
        proxy_headers=False,
        ssl_certfile=settings.tls_cert or None,
        ssl_keyfile=settings.tls_key or None,
        timeout_keep_alive=settings.keep_alive,
        timeout_graceful_shutdown=settings.drain_timeout,
    )


class Worker(uvicorn.Server):
    """Says on standard output when it is ready; stops when standard input ends, which the supervisor holds open.

    At SIGHUP it retires: it accepts no more, and ends when all of its connections have.
    """

    retiring = False

    def __init__(self, config: uvicorn.Config, request_timeout: float) -> None:
        super().__init__(config)
        self.request_timeout = request_timeout

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self.retire)  # before a connection is there that it would cost
        await super().startup([])
        await self.listen(sockets or [])
        # What was made at import lives for good: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        # A request takes the interpreter's lock some five times; beside a thread that works, it waits so long for each.
        sys.setswitchinterval(0.0001)
        loop.add_reader(sys.stdin.fileno(), self.supervisor_gone)
        if self.retiring:
            self.retire()
        os.write(sys.stdout.fileno(), READY)

    async def listen(self, sockets: list[socket.socket]) -> None:
        """As uvicorn would, but a client that begins no TLS gets no longer than one that sends no request."""
        config, loop = self.config, asyncio.get_running_loop()
        made = partial(cast(Any, config.http_protocol_class), config, self.server_state, self.lifespan.state)
        patience = self.request_timeout if config.ssl else None
        for each in sockets:
            server = await loop.create_server(
                made, sock=each, ssl=config.ssl, ssl_handshake_timeout=patience, backlog=config.backlog
            )
            self.servers.append(server)

    def supervisor_gone(self) -> None:
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        self.should_exit = True

    def retire(self) -> None:
        """What waits in the listening sockets is the successor's, who has them too."""
        self.retiring = True
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            cast(Protocol, connection).retire()

    async def on_tick(self, counter: int) -> bool:
        if self.retiring and not self.server_state.connections and not self.server_state.tasks:
            self.should_exit = True
        return await super().on_tick(counter)


if __name__ == "__main__":
    main()
