"""Access logs of a running server: `python -m gateway.access_logs.background`, one delivery of all there is.

The first line of standard input has the settings. It gives way to all others, and ends when it is through, or by
SIGTERM between two objects; what it did until then is done.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType

from catalog import Catalog
from catalog.freeing import Freeing
from catalog.priority import give_way
from gateway import logging
from gateway.access_logs.delivery import Delivery
from gateway.blobs import Blobs
from gateway.child import READY, wait_for_end
from gateway.encryption import keyring
from gateway.settings import Settings, undump

NICENESS = 10


def main() -> None:
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)
    logging.configure()
    settings = undump(sys.stdin.buffer.readline())
    threading.Thread(target=wait_for_end, daemon=True).start()
    os.write(sys.stdout.fileno(), READY + b"\n")
    give_way(NICENESS)
    asyncio.run(deliver(settings))


async def deliver(settings: Settings) -> int:
    """Raises StorageFull, CatalogUnusable, OSError."""
    catalog = Catalog.open(settings.data)
    blobs = Blobs(settings.data, remove=Freeing().remove, keys=keyring(settings))
    catalog.on_dead_blobs = blobs.unlink
    try:
        return await Delivery(catalog, blobs, settings.data).run()
    finally:
        await catalog.close()
        blobs.close()


def leave(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


if __name__ == "__main__":
    with suppress(SystemExit):
        main()
    os._exit(0)  # it need not wait for the thread that waits for its input
