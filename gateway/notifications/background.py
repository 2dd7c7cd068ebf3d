"""Event notifications of a running server: `python -m gateway.notifications.background`, settings on standard input.

It gives way to all who answer requests, and ends at SIGTERM, or when its standard input does; what has not arrived
until then is sent by the next one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

from catalog import Catalog
from catalog.priority import give_way
from gateway import logging
from gateway.child import READY, wait_for_end
from gateway.notifications.delivery import Delivery
from gateway.notifications.progress import load
from gateway.notifications.webhook import targets
from gateway.settings import Settings, undump

NICENESS = 5


async def main(settings: Settings) -> None:
    """Raises CatalogUnusable."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)
    logging.configure()
    give_way(NICENESS)
    threading.Thread(target=wait_for_end, daemon=True).start()
    catalog = Catalog.open(settings.data)
    try:
        told = load(settings.data)
        deliveries = [Delivery(catalog, settings.data, target, told) for target in targets(settings)]
        os.write(sys.stdout.fileno(), READY + b"\n")
        working = [asyncio.ensure_future(delivery.run()) for delivery in deliveries]
        stopped = asyncio.ensure_future(stopping.wait())
        done, _ = await asyncio.wait([*working, stopped], return_when=asyncio.FIRST_COMPLETED)
        for each in working:
            each.cancel()
        for ended in done:
            ended.result()
    finally:
        catalog.release()


if __name__ == "__main__":
    given = sys.stdin.buffer.readline()
    if given:
        try:
            asyncio.run(main(undump(given)))
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    os._exit(0)  # without waiting for threads that wait for an answer
