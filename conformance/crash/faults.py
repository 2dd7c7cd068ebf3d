"""Steps of the server that fail while a file says so: patched from outside, as for the points at which it is killed."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from conformance.crash.points import WORKER, resolve
from conformance.server import Server, running

VARIABLE = "CRASH_FAULT"
SLOW = "slow"
SMALL, LARGE = b"small" * 100, b"large" * 40_000


@dataclass(frozen=True)
class Fault:
    """`target` (module:attribute) raises what `error` names, or takes its time.

    `answer` is the status and code that a PUT, or a GET, gets.
    """

    name: str
    process: str
    target: str
    error: str
    answer: tuple[int, str]
    large: bool = False

    @property
    def content(self) -> bytes:
        return LARGE if self.large else SMALL

    @classmethod
    def given(cls) -> tuple[Fault, Path] | None:
        fields = json.loads(os.environ.get(VARIABLE, "null"))
        if fields is None:
            return None
        sick = Path(fields.pop("sick"))
        return cls(**fields), sick

    def arm(self, sick: Path) -> None:
        """Patch this process."""
        owner, name, original = resolve(self.target)

        @wraps(original)
        def call(*arguments: Any, **named: Any) -> Any:
            if sick.exists() and self.error == SLOW:
                time.sleep(2)
            elif sick.exists():
                raise ERRORS[self.error]()
            return original(*arguments, **named)

        setattr(owner, name, call)


def _duckdb() -> Exception:
    import duckdb

    return duckdb.IOException("No space left on device")


def _lmdb() -> Exception:
    import lmdb

    problem: Exception = lmdb.MapFullError("mdb_put: MDB_MAP_FULL")
    return problem


ERRORS: dict[str, Callable[[], Exception]] = {
    "full": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "unreadable": lambda: OSError(errno.EIO, "Input/output error"),
    "forbidden": lambda: PermissionError(errno.EACCES, "Permission denied"),
    "duckdb": _duckdb,
    "lmdb": _lmdb,
}
FULL = (507, "InsufficientStorage")
BROKEN = (500, "InternalError")
FAULTS = (
    Fault("log full", WORKER, "catalog.batch:Batch._write", "full", FULL),
    Fault("log cannot be synced", WORKER, "os:fdatasync", "unreadable", BROKEN),
    Fault("log may not be written", WORKER, "catalog.batch:Batch._write", "forbidden", BROKEN),
    Fault("index full", WORKER, "catalog.index:Index.set_end", "lmdb", FULL),
    Fault("body full", WORKER, "gateway.blobs.store:sync_names", "full", FULL, large=True),
    Fault("body cannot be synced", WORKER, "gateway.blobs.store:Blob._publish", "unreadable", BROKEN, large=True),
    Fault("bodies may not be written", WORKER, "gateway.blobs.store:Blob.__aenter__", "forbidden", BROKEN, large=True),
    Fault("log full behind a body", WORKER, "catalog.batch:Batch._write", "full", FULL, large=True),
)
# Of what a GET reads.
UNREAD = (
    Fault("small body cannot be read", WORKER, "catalog.log:Log.read_body", "unreadable", BROKEN),
    Fault("small body may not be read", WORKER, "catalog.log:Log.read_body", "forbidden", BROKEN),
    Fault("large body cannot be read", WORKER, "os:preadv", "unreadable", BROKEN, True),
    Fault("large body may not be read", WORKER, "gateway.blobs.store:Blobs.open", "forbidden", BROKEN, large=True),
)


@contextmanager
def failing(data: Path, fault: Fault) -> Iterator[tuple[Server, Path]]:
    """A server with the fault in it, as long as the file exists that comes with it."""
    sick = data.parent / "sick"
    given = {VARIABLE: json.dumps(asdict(fault) | {"sick": str(sick)})}
    program = [sys.executable, "-m", "conformance.crash.serve", "serve"]
    with running(data, "--workers", "1", env=given, program=program) as server:
        yield server, sick
