"""Lifecycle rules in a running server: `python -m gateway.lifecycle.background DIR RATE DAY`, once through all of it.

RATE is in removals a second, DAY is how many seconds a day of the rules has. It gives way to all others, and ends when
it is through, at SIGTERM, or when its standard input does; what it did until then is done.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from catalog import Catalog
from catalog.freeing import Freeing
from catalog.priority import give_way
from gateway import logging
from gateway.blobs import Blobs
from gateway.child import READY, wait_for_end
from gateway.lifecycle.report import Report
from gateway.lifecycle.run import Run

NICENESS = 10


async def main(data: Path, rate: int, day: int) -> None:
    loop, stopping = asyncio.get_running_loop(), threading.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)
    logging.configure()
    threading.Thread(target=wait_for_end, daemon=True).start()
    os.write(sys.stdout.fileno(), READY + b"\n")
    give_way(NICENESS)
    report = await carry_out(data, Report(time.time()), rate, day, stopping)
    if report.done or report.protected:
        logging.log.info("lifecycle: %s", report.text)


async def carry_out(
    data: Path, report: Report, rate: int, day: int, stopping: threading.Event, removing: bool = True
) -> Report:
    """Raises CatalogUnusable, QueryFailed, QueryStopped, StorageFull."""
    blobs, catalog = Blobs(data, remove=Freeing().remove), Catalog.open(data)
    catalog.on_dead_blobs = blobs.unlink
    try:
        await Run(catalog, data, report, rate, day=day * 1000, removing=removing, stopping=stopping.is_set).run()
    finally:
        await catalog.close()
        blobs.close()
    return report


if __name__ == "__main__":
    with suppress(SystemExit):
        asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
    os._exit(0)  # with a thread that waits for its input, DuckDB's bindings would complain of what lives on
