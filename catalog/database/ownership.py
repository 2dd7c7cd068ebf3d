"""Who may open catalog.duckdb: one process at a time, by a lock that the kernel lets go when the process ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import CatalogUnusable

LOCK = "catalog.lock"
_PAUSE = 0.05


class DatabaseBusy(CatalogUnusable):
    """Another process has the database open; it may let go in a moment."""


@contextmanager
def owning(directory: Path, patience: float = 0.0) -> Iterator[None]:
    """Own the database of `directory`, once no other process does. Raises DatabaseBusy after `patience` seconds."""
    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                raise DatabaseBusy(f"another process has the database of {directory} open")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
