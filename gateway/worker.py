"""One worker process: `python -m gateway.worker`, its settings on standard input, started by the supervisor."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from types import FrameType

import uvicorn

from gateway import logging
from gateway.app import Application
from gateway.listener import listener
from gateway.protocol import Protocol
from gateway.settings import Settings, undump

READY = b"ready\n"


def main() -> None:
    settings = undump(sys.stdin.buffer.readline())
    logging.configure()
    # uvicorn raises the signal that stopped it once more, when all is done.
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    Worker(configuration(settings)).run(sockets=[listener(settings.host, settings.port)])


def leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def configuration(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        Application(settings),
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
        timeout_keep_alive=settings.keep_alive,
        timeout_graceful_shutdown=settings.drain_timeout,
    )


class Worker(uvicorn.Server):
    """Says on standard output when it is ready; stops when standard input ends, which the supervisor holds open."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What was made at import lives for good: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        # Threads that hash and sync come and go in fractions of a millisecond; waiting 5 for their turn would show.
        sys.setswitchinterval(0.0005)
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self.supervisor_gone)
        os.write(sys.stdout.fileno(), READY)

    def supervisor_gone(self) -> None:
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        self.should_exit = True


if __name__ == "__main__":
    main()
