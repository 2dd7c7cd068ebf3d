"""Clients that stop: a connection on which nothing moves for too long is ended, at whatever point it is."""

from __future__ import annotations

import asyncio
import socket
import struct
from enum import Enum
from typing import TYPE_CHECKING

from gateway.s3.errors import S3Error

if TYPE_CHECKING:
    from gateway.protocol import Protocol

# So much a client must send of a body, or take of an answer, within its time: a byte now and then is no progress.
LEAST_PROGRESS = 4 << 10
LOOKS = 4  # within a client's time

# https://man7.org/linux/man-pages/man7/tcp.7.html: tcpi_bytes_acked and tcpi_bytes_received of struct tcp_info
TCP_INFO_SIZE, MOVED = 136, struct.Struct("=120x2Q")


class Phase(Enum):
    """Whom a connection waits for, and for what."""

    IDLE = "the client, for a request"
    HEAD = "the client, for the rest of a head"
    BODY = "the client, for more of a body"
    ANSWER = "the client, to take more of an answer"
    WORK = "us"


class Watch:
    """Looks at one connection from time to time: nothing of it is in the path of a request."""

    def __init__(self, connection: Protocol) -> None:
        self.connection = connection
        self.phase = Phase.WORK
        self.subject: object = None
        self.since, self.moved = 0.0, 0
        self.timer: asyncio.TimerHandle | None = None
        self.start()

    def start(self) -> None:
        """Begins to look, or looks more often where patience has become less."""
        self.stop()
        connection = self.connection
        interval = min(connection.patience, connection.server_state.request_timeout) / LOOKS
        self.timer = connection.loop.call_later(interval, self.look)

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def look(self) -> None:
        connection = self.connection
        now = connection.loop.time()
        phase, subject = self.waits_for()
        patience = connection.patience if phase is Phase.IDLE else connection.server_state.request_timeout
        if phase is Phase.IDLE:
            self.since = connection.idle_since
        elif phase is not self.phase or subject is not self.subject:
            self.since, self.moved = now, self.bytes_moved(phase)
        elif now - self.since >= patience and (moved := self.bytes_moved(phase)) - self.moved >= LEAST_PROGRESS:
            self.since, self.moved = now, moved
        self.phase, self.subject = phase, subject
        if phase is not Phase.WORK and now - self.since >= patience:
            self.end(phase)
        self.start()

    def waits_for(self) -> tuple[Phase, object]:
        """The phase, and which of all heads, bodies or answers it is about."""
        connection = self.connection
        exchange = connection.exchange
        if connection.writable is not None or connection.transport.get_write_buffer_size():
            return Phase.ANSWER, exchange
        if exchange is None:
            return (Phase.HEAD, connection.headers) if connection.in_head else (Phase.IDLE, None)
        return (Phase.BODY if exchange.waits_for_body else Phase.WORK), exchange

    def bytes_moved(self, phase: Phase) -> int:
        """That the client has sent, or has taken, on this connection so far."""
        if phase not in (Phase.BODY, Phase.ANSWER):
            return 0
        line = self.connection.transport.get_extra_info("socket")
        taken, sent = MOVED.unpack(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_SIZE))
        return int(sent if phase is Phase.BODY else taken)

    def end(self, phase: Phase) -> None:
        connection = self.connection
        if phase is Phase.BODY and connection.exchange is not None:
            connection.exchange.stall(S3Error("RequestTimeout"))
        elif phase is Phase.ANSWER:
            connection.transport.abort()  # a close would wait for the client to take the rest
        else:
            connection.transport.close()
