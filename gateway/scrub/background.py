"""The scrub of a running server: `python -m gateway.scrub.background DIR RATE REPAIR`, once through all of it.

RATE is in MB/s, REPAIR is 1 where it is to repair what it can, else 0. The first line of standard input has
the settings.

It gives way to all others, goes on where the last one was broken off, and ends when it is through, at SIGTERM, or when
its standard input does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from logging import ERROR, WARNING
from pathlib import Path
from types import FrameType

import msgspec

from catalog import Catalog
from catalog.priority import give_way
from gateway import logging
from gateway.child import READY, wait_for_end
from gateway.encryption import keyring
from gateway.scrub.report import BACKGROUND, FAILED, Report, last
from gateway.scrub.run import Scrub
from gateway.settings import undump

NICENESS = 10  # not to the last: a machine that is always busy is to be scrubbed, too


def main(data: Path, rate: int, repair: bool) -> None:
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)
    logging.configure()
    given = sys.stdin.buffer.readline().strip()
    keys = keyring(undump(given)) if given else None
    threading.Thread(target=wait_for_end, daemon=True).start()
    os.write(sys.stdout.fileno(), READY + b"\n")
    report = last(data, BACKGROUND)
    if report is None or report.finished:
        report = Report.begun(data)
    catalog = Catalog.open(data)
    give_way(NICENESS)
    read_last()
    try:
        tell = Teller(report)
        Scrub(catalog, data, report, rate * 1e6, tell, repair, file=BACKGROUND, gently=True, keys=keys).run()
        tell()
        logging.log.info("scrub: %s bodies, %s bytes, %s wrong", report.bodies, report.bytes, report.wrong)
    finally:
        catalog.release()


class Teller:
    """A line of the log for each thing that is found, when it is found."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._told = len(report.findings)

    def __call__(self) -> None:
        new = self._report.findings[self._told :]
        self._told += len(new)
        for found in new:
            level = ERROR if found.result == FAILED else WARNING
            logging.log.log(level, "scrub: %s", msgspec.json.encode(found).decode())


def read_last() -> None:
    """Of those who want the disk; where `ionice` is not there, as anybody."""
    with suppress(FileNotFoundError):
        subprocess.run(["ionice", "--class", "idle", "--pid", str(os.getpid())], stderr=subprocess.DEVNULL)


def leave(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


if __name__ == "__main__":
    with suppress(SystemExit):
        main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1")
    os._exit(0)  # with a thread that waits for its input, DuckDB's bindings would complain of what lives on
