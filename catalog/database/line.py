"""A connection to the catalog process: waits for as long as that is alive, and gives up once it stands still.

A process at work on a long query gives no sign on this connection; on another it says at once that it is well.
"""

from __future__ import annotations

import io
import os
import select
import socket
import time
from pathlib import Path

from catalog.database.frames import LENGTH, SOCKET, Answer, AskHealth, Failure, Frame, decode_answer, pack
from catalog.errors import CatalogUnusable, QueryFailed

QUIET = 2.0  # seconds without a byte after which the process is asked how it is
SILENCE = 15.0  # seconds that it has to say so
_PAUSE = 0.1
_AT_ONCE = 256 * 1024
_GONE = "the catalog process went away before it had answered"


class Line:
    """What is to be closed is the socket, by whoever has connected it."""

    def __init__(self, directory: Path, connected: socket.socket) -> None:
        self._directory = directory
        self._socket = connected
        self._incoming = io.BufferedReader(_Incoming(self), _AT_ONCE)

    def send(self, request: Frame) -> None:
        """Raises QueryFailed where the process went away, CatalogUnusable where it stands still."""
        left = memoryview(pack(request))
        try:
            while left:
                self._wait(select.POLLOUT)
                left = left[self._socket.send(left, socket.MSG_DONTWAIT) :]
        except ConnectionError as problem:
            raise QueryFailed(_GONE) from problem

    def receive(self) -> Answer:
        """As `send`, and whatever the process answers with as a fact."""
        try:
            length = self._incoming.read(LENGTH)
            body = self._incoming.read(int.from_bytes(length, "big"))
        except ConnectionError as problem:
            raise QueryFailed(_GONE) from problem
        if len(length) < LENGTH or len(body) < int.from_bytes(length, "big"):
            raise QueryFailed(_GONE)
        answer = decode_answer(body)
        if isinstance(answer, Failure):
            raise answer.raised()
        return answer

    def receive_into(self, buffer: memoryview) -> int:
        self._wait(select.POLLIN)
        return self._socket.recv_into(buffer)

    def _wait(self, event: int) -> None:
        waiting = select.poll()
        waiting.register(self._socket, event)
        while not waiting.poll(QUIET * 1000):
            if not is_alive(self._directory):
                raise standing_still()


class _Incoming(io.RawIOBase):
    def __init__(self, line: Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._line.receive_into(buffer)


def connect(directory: Path) -> socket.socket | None:
    """None where nobody listens. Raises CatalogUnusable where nobody has taken those who came for a long time."""
    deadline = time.monotonic() + SILENCE
    while True:
        try:
            return _connect(directory)
        except BlockingIOError:  # so many wait already
            if time.monotonic() > deadline:
                raise standing_still() from None
        time.sleep(_PAUSE)


def is_alive(directory: Path) -> bool:
    """Whether the process says how it is, or is no more: what is asked of it then ends by itself."""
    try:
        probe = connect(directory)
    except CatalogUnusable:
        return False
    if probe is None:
        return True
    with probe:
        probe.settimeout(SILENCE)
        try:
            probe.sendall(pack(AskHealth()))
            probe.recv(LENGTH)
        except TimeoutError:
            return False
        except ConnectionError:
            pass
    return True


def standing_still() -> CatalogUnusable:
    return CatalogUnusable(
        f"the catalog process has given no sign of life for {SILENCE:g} seconds: see what the server logged; "
        "one that stands still may be killed, for another comes"
    )


def _connect(directory: Path) -> socket.socket | None:
    place = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    connected = socket.socket(socket.AF_UNIX)
    connected.setblocking(False)
    try:
        connected.connect(f"/proc/self/fd/{place}/{SOCKET}")
        connected.setblocking(True)
    except (FileNotFoundError, ConnectionError):
        connected.close()
        return None
    except BlockingIOError:
        connected.close()
        raise
    finally:
        os.close(place)
    return connected
