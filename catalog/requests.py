"""The requests that were served, on their way to the catalog process: files that a worker each appends to.

No promise is made for them: nothing is synced, and what a process has not written when it is killed is gone. A file is
frames: the length and the CRC-32C of what follows, which is one MessagePack array of rows in the order of `Served`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from awscrt.checksums import crc32c

FOLDER = "requests"
INCOMING = "incoming"
LOGGED = "logged"  # those that are to become lines of buckets' access logs, with what such a line says
SUFFIX = ".rows"

MOST = 256 << 20  # bytes that may wait in one worker's file
_MOST_IN_FRAME = 64 << 20
_HEAD = struct.Struct("<II")


class Served(NamedTuple):
    """`time` is when the request came, in seconds; durations are in milliseconds; `bucket_id` is 0 without a bucket."""

    time: float
    request_id: str
    requester: str | None
    remote_ip: str
    operation: str | None
    bucket_id: int
    bucket: str | None
    key: str | None
    version_id: str | None
    http_status: int
    error_code: str | None
    bytes_sent: int
    bytes_received: int | None
    total_time: float
    turn_around_time: float
    referer: str | None
    user_agent: str | None


class Incoming:
    """The file that this worker appends to; another one once the catalog process took it away."""

    def __init__(self, data: Path, folder: str = INCOMING) -> None:
        self._folder = data / FOLDER / folder
        self._path = self._folder
        self._file = -1

    def append(self, body: bytes) -> None:
        """An array of rows as MessagePack. Raises OSError where it cannot be kept."""
        head = _HEAD.pack(len(body), crc32c(body))
        with self._held() as file:
            if os.fstat(file).st_size > MOST:
                raise OSError(errno.EFBIG, "too many requests wait for the catalog process")
            try:
                _write(file, head, body)
            except OSError:
                self.close()  # what is behind half a frame cannot be read: the next goes into another file
                raise

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @contextmanager
    def _held(self) -> Iterator[int]:
        """The file, locked, and not taken away."""
        while True:
            if self._file < 0:
                self._open()
            fcntl.flock(self._file, fcntl.LOCK_EX)
            if self._path.exists():
                break
            self.close()
        try:
            yield self._file
        finally:
            if self._file >= 0:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = self._folder / f"{time.time_ns():020}-{os.getpid()}{SUFFIX}"
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def waiting(data: Path, folder: str = INCOMING) -> list[Path]:
    """The files there are, from the oldest on."""
    return sorted((data / FOLDER / folder).glob(f"*{SUFFIX}"))


def opened(path: Path) -> float:
    """When the first row came into a worker's file, in seconds since the epoch."""
    return int(path.name.partition("-")[0]) / 1e9


def take(path: Path, to: Path) -> None:
    """Rename a file between two frames: nobody writes to it any more."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        path.rename(to)
    finally:
        os.close(file)


def frames(path: Path) -> Iterator[bytes]:
    """What its frames hold, up to the first that is torn."""
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, crc = _HEAD.unpack(head)
            body = file.read(length) if 0 < length <= _MOST_IN_FRAME else b""
            if not body or len(body) < length or crc32c(body) != crc:
                return
            yield body


def _write(file: int, head: bytes, body: bytes) -> None:
    """All of it, or OSError."""
    left = memoryview(body)[max(0, os.writev(file, (head, body)) - len(head)) :]
    while left:
        left = left[os.write(file, left) :]
