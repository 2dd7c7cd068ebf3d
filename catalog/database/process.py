"""The catalog process: owns the database of a data folder, keeps it up with the log, and answers questions about it.

`python -m catalog.database.process DIR [LIMITS [COMPACTION [DAYS]]]`. It says `ready` on its standard output when it
is, and ends, with everything applied that was acknowledged, at SIGTERM or when its standard input does: it does not
outlive its starter.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import duckdb
import lmdb

from catalog.database.connection import FILE, open_database
from catalog.database.follower import Follower
from catalog.database.frames import SOCKET
from catalog.database.limits import Limits, undump
from catalog.database.ownership import owning
from catalog.database.pace import Pace
from catalog.database.rotation import Rotation
from catalog.database.session import Desk, Session, give_way_to_changes
from catalog.database.source import Source, open_source
from catalog.errors import CatalogUnusable
from catalog.priority import give_way

READY = b"ready\n"
PATIENCE = 30.0  # seconds for a command that has the database open to finish
COMPACTION = 16  # MiB a second
NO_ROOM = 1 << 20  # bytes free below which a failure is taken to be for want of room
NICENESS = 5  # where cores are short, who answers requests goes first
_COLLECT_AFTER = 200_000

log = logging.getLogger(__name__)


def main(directory: Path, limits: Limits, compaction: int = COMPACTION, days: int = 0) -> None:
    """`compaction` is in MiB a second, `days` how long records of requests are kept (0: for good).

    Raises SystemExit where the data folder cannot be used.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    give_way(NICENESS)
    os.umask(0o077)  # users' secrets are in the database
    # Applying makes no cycles, but tuples by the hundred thousand, which the collector would look at again and again.
    gc.set_threshold(_COLLECT_AFTER, 20, 50)
    try:
        with (
            open_source(directory) as source,
            owning(directory, PATIENCE),
            _opened(directory, limits) as connection,
        ):
            asyncio.run(_run(directory, connection, source, limits, compaction, days))
            connection.execute("CHECKPOINT")
    except CatalogUnusable as fact:
        log.error("%s", fact.why)
        raise SystemExit(1) from None
    except (duckdb.Error, lmdb.Error, OSError) as problem:
        if shutil.disk_usage(directory).free > NO_ROOM:
            raise
        log.error("there is no room on the disk of %s: %s", directory, problem)
        raise SystemExit(1) from None


def _opened(directory: Path, limits: Limits) -> duckdb.DuckDBPyConnection:
    """In a thread as nice as those of queries: DuckDB's own are made there, and are so too."""
    with ThreadPoolExecutor(1, initializer=give_way_to_changes) as opener:
        return opener.submit(open_database, directory, limits).result()


async def _run(
    directory: Path, connection: duckdb.DuckDBPyConnection, source: Source, limits: Limits, compaction: int, days: int
) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told.set)

    def read() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin.fileno())
            told.set()

    with suppress(PermissionError):  # a file or /dev/null: nobody holds it open for us
        loop.add_reader(sys.stdin.fileno(), read)
    given = (limits, compaction, days)
    await serve(directory, connection, source, told, lambda: os.write(sys.stdout.fileno(), READY), *given)


async def serve(
    directory: Path,
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    told_to_stop: asyncio.Event,
    ready: Callable[[], object],
    limits: Limits | None = None,
    compaction: int = COMPACTION,
    days: int = 0,
) -> None:
    """Until told to stop; then everything is applied that was acknowledged. Raises CatalogUnusable."""
    follower = Follower(connection.cursor(), source)
    pace = Pace(follower, source, directory / f"{FILE}.wal", compaction << 20)
    rotation = Rotation(directory, days)
    desk = Desk(directory, connection, follower, source, pace, rotation, limits or Limits())
    sessions: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        sessions.add(task)
        try:
            await Session(desk, reader, writer).run()
        finally:
            sessions.discard(task)

    server = await asyncio.start_unix_server(accept, sock=listening(directory))
    rotating = asyncio.create_task(rotation.run())
    following = asyncio.create_task(pace.run())
    stopping = asyncio.create_task(told_to_stop.wait())
    ready()
    await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.close()
    for task in list(sessions):
        task.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)
    desk.threads.shutdown()
    pace.stop()
    rotation.stop()
    await following
    await rotating
    (directory / SOCKET).unlink(missing_ok=True)


def listening(directory: Path) -> socket.socket:
    """A Unix socket in `directory`, reached through its descriptor: an address has room for 107 bytes only."""
    place = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    mask = os.umask(0o077)
    try:
        with suppress(FileNotFoundError):
            os.unlink(SOCKET, dir_fd=place)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"/proc/self/fd/{place}/{SOCKET}")
    finally:
        os.umask(mask)
        os.close(place)
    return listener


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main(Path(sys.argv[1]), undump(sys.argv[2]) if sys.argv[2:] else Limits(), *map(int, sys.argv[3:]))
