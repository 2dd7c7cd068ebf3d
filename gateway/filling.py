"""A large body from the socket straight into buffers of the size it is worked on, past the parser."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.blobs.blocks import block_size, new_block

if TYPE_CHECKING:
    from gateway.exchange import Exchange

# With less to come than this, a change of protocol does not pay.
LARGE = 128 << 10


class Filler(asyncio.BufferedProtocol):
    """Takes a connection's place at its transport for the rest of one body, whose length is known."""

    def __init__(self, exchange: Exchange, left: int) -> None:
        self.exchange = exchange
        self.connection = exchange.connection
        self.left = left
        self.buffer = bytearray()
        self.filled = 0
        self.take_place(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        if self.filled == len(self.buffer):
            self.buffer, self.filled = new_block(min(block_size(), self.left)), 0
        return memoryview(self.buffer)[self.filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self.filled += nbytes
        self.left -= nbytes
        if self.filled < len(self.buffer):
            return
        if not self.exchange.complete:  # answered before the body was read, the rest is only passed over
            self.connection.pause_reading()
            self.exchange.take(self.buffer)
        if not self.left:
            self.connection.start_anew()
            self.take_place(self.connection)
            self.exchange.take_end()

    def take_place(self, protocol: asyncio.BaseProtocol) -> None:
        """A transport that reads goes on as it began, whatever its protocol: it is stopped for the change."""
        connection = self.connection
        connection.pause_reading()
        connection.transport.set_protocol(protocol)
        connection.resume_reading()

    # of no concern to a body

    def eof_received(self) -> None:
        self.connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.connection.connection_lost(exc)

    def pause_writing(self) -> None:
        self.connection.pause_writing()

    def resume_writing(self) -> None:
        self.connection.resume_writing()
