"""A file's bytes from the page cache to the socket, without passing through the process."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from gateway.s3.rendered import Source

if TYPE_CHECKING:
    from gateway.exchange import Exchange


async def send_file(exchange: Exchange, source: Source) -> None:
    """All of it, as fast as the client takes it; returns early once the client has gone."""
    connection = exchange.connection
    await flush(exchange)
    if exchange.gone:
        return
    # The transport's own number may be watched by nobody else. While its buffer is empty, it is ours to write.
    line = os.dup(connection.transport.get_extra_info("socket").fileno())
    try:
        while source.left and not exchange.gone:
            try:
                room = await source.send_to(line)
            except ConnectionError:
                exchange.hang_up()
                return
            if room:
                await asyncio.sleep(0)  # a client that takes all at once must not hold the loop
            else:
                await wait_writable(exchange, line)
    finally:
        os.close(line)


async def flush(exchange: Exchange) -> None:
    """Until the transport has given all it was given to the kernel, or the client has gone."""
    connection = exchange.connection
    transport = connection.transport
    if not transport.get_write_buffer_size():
        return
    low, high = transport.get_write_buffer_limits()
    transport.set_write_buffer_limits(0)  # it says when it is empty
    while connection.writable is not None and not exchange.gone:
        await asyncio.shield(connection.writable)
    if not exchange.gone:
        transport.set_write_buffer_limits(high, low)


async def wait_writable(exchange: Exchange, line: int) -> None:
    connection = exchange.connection
    connection.pause_writing()
    connection.loop.add_writer(line, connection.resume_writing)
    try:
        while connection.writable is not None and not exchange.gone:
            await asyncio.shield(connection.writable)
    finally:
        connection.loop.remove_writer(line)
        connection.resume_writing()
