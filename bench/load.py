"""The load: ready-made requests over kept-alive connections, one in flight on each, from one thread.

A loop over epoll and plain sockets, for it costs less than an event loop; it looks at the status and the
length of an answer and at nothing else, and counts what is not as expected.
"""

from __future__ import annotations

import gc
import re
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import NamedTuple

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
ENDED = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
EVENTS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
ERRORS_BORNE = 100
STALLED_SECONDS = 60.0


class Outgoing(NamedTuple):
    """One request: `data` is sent at once, `rest` after it (what is left of a large body)."""

    data: bytes
    rest: memoryview | None = None


@dataclass(frozen=True)
class Batch:
    """Requests alike, and what each answer must be. `length` None: any of at least `at_least` bytes."""

    requests: Sequence[Outgoing]
    status: int
    length: int | None = None
    at_least: int = 0
    bodiless: bool = False  # answers to HEAD: a length without a body
    repeat: bool = False  # may be sent again from the start
    expects: bool = False  # `rest` waits for 100 Continue


@dataclass
class Measured:
    done: int = 0
    sent: int = 0
    seconds: float = 0.0
    cpu: float = 0.0  # seconds of the server's processor time, where that can be known
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return self.done / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        ranked = sorted(self.latencies)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


class LoadFailed(Exception):
    """The endpoint cannot be measured: too many wrong answers, or none at all."""


def drive(address: tuple[str, int], batch: Batch, connections: int, seconds: float = 0.0) -> Measured:
    """Sends the batch over so many connections, until it or the `seconds` (0: no limit) are over."""
    load = Load(address, batch, connections, seconds)
    collecting = gc.isenabled()
    gc.disable()
    try:
        return load.run()
    finally:
        load.close()
        if collecting:
            gc.enable()


class Connection:
    __slots__ = ("answer", "chunks", "closing", "needs", "sock", "started", "unsent", "waiting")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.started = 0.0
        self.unsent: memoryview | None = None
        self.waiting: memoryview | None = None  # for 100 Continue
        self.needs = -1  # bytes of the answer's body still to come; -1: its head is not read yet
        self.answer = b""  # the start of an answer's head that came in pieces
        self.closing = False  # the answer was the last of this connection
        self.chunks: bytearray | None = None  # an answer in chunks, so far


class Load:
    def __init__(self, address: tuple[str, int], batch: Batch, connections: int, seconds: float) -> None:
        self.address = address
        self.batch = batch
        self.seconds = seconds
        self.measured = Measured()
        self.buffer = bytearray(256 * 1024)
        self.poll = select.epoll()
        self.open: dict[int, Connection] = {}
        self.connections = connections
        self.under_way = 0
        self.requests: Iterator[Outgoing] = iter(batch.requests)
        if batch.repeat and seconds:
            self.requests = cycle(batch.requests)

    def run(self) -> Measured:
        for _ in range(self.connections):
            self._connect()
        began = time.perf_counter()
        self.deadline = began + self.seconds if self.seconds else float("inf")
        for connection in list(self.open.values()):
            self._next(connection)
        while self.under_way:
            events = self.poll.poll(STALLED_SECONDS)
            if not events:
                raise LoadFailed(f"no answer within {STALLED_SECONDS:.0f} s from {self.address}")
            for number, event in events:
                found = self.open.get(number)
                if found is None:  # replaced since this event was made
                    continue
                if found.unsent is not None and event & select.EPOLLOUT:
                    self._flush(found)
                if event & (select.EPOLLIN | ENDED):
                    self._read(found, ended=bool(event & ENDED))
        self.measured.seconds = time.perf_counter() - began
        return self.measured

    def close(self) -> None:
        for connection in self.open.values():
            connection.sock.close()
        self.poll.close()

    def _connect(self) -> Connection:
        sock = socket.create_connection(self.address, timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        connection = self.open[sock.fileno()] = Connection(sock)
        self.poll.register(sock.fileno(), EVENTS)
        return connection

    def _next(self, connection: Connection) -> None:
        now = time.perf_counter()
        request = next(self.requests, None) if now < self.deadline else None
        if request is None:
            return
        self.under_way += 1
        self.measured.sent += 1
        connection.started = now
        connection.needs = -1
        data, rest = request
        if rest is None:
            try:
                sent = connection.sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._lost(connection, error)
                return
            if sent != len(data):
                connection.unsent = memoryview(data)[sent:]
        else:
            connection.waiting = rest
            connection.unsent = memoryview(data)
            self._flush(connection)

    def _flush(self, connection: Connection) -> None:
        """Sends what the socket takes; a large body follows its head unless it waits for 100 Continue."""
        unsent = connection.unsent
        try:
            while unsent is not None:
                unsent = unsent[connection.sock.send(unsent) :]
                if not unsent:
                    unsent = None
                    if connection.waiting is not None and not self.batch.expects:
                        unsent, connection.waiting = connection.waiting, None
        except BlockingIOError:
            pass
        except OSError:  # the answer, if there is one, says why the peer stopped reading
            unsent = None
        connection.unsent = unsent

    def _read(self, connection: Connection, ended: bool) -> None:
        """Reads until the socket is empty, or `ended` to its end: it tells of new bytes only once."""
        buffer = self.buffer
        while True:
            try:
                count = connection.sock.recv_into(buffer)
            except BlockingIOError:
                return
            except OSError as error:
                self._lost(connection, error)
                return
            if not count:
                self._lost(connection, ConnectionResetError("closed by the peer"))
                return
            if connection.needs > 0:
                connection.needs -= count
                if connection.needs <= 0:
                    self._done(connection)
            elif connection.chunks is not None:
                self._chunk(connection, buffer[:count])
            else:
                self._head(connection, count)
            if (count < len(buffer) and not ended) or connection.sock.fileno() < 0:
                return

    def _head(self, connection: Connection, count: int) -> None:
        buffer: bytes | bytearray = self.buffer
        if connection.answer:
            buffer = connection.answer + buffer[:count]
            count = len(buffer)
            connection.answer = b""
        end = buffer.find(b"\r\n\r\n", 0, count)
        if end < 0:
            connection.answer = bytes(buffer[:count])
            return
        status = int(buffer[9:12])
        if status == 100:
            connection.unsent, connection.waiting = connection.waiting, None
            self._flush(connection)
            if count > end + 4:
                connection.answer = bytes(buffer[end + 4 : count])
                self._head(connection, 0)
            return
        batch = self.batch
        connection.closing = CLOSING.search(buffer, 0, end) is not None
        found = LENGTH.search(buffer, 0, end)
        if found is not None:
            length = int(found[1])
        elif CHUNKED.search(buffer, 0, end) and not batch.bodiless:
            connection.chunks = bytearray()
            if status != batch.status:
                self._wrong(f"status {status}", bytes(buffer[:count]))
            self._chunk(connection, buffer[end + 4 : count])
            return
        else:
            length = 0
        if status != batch.status:
            self._wrong(f"status {status}", bytes(buffer[:count]))
        elif length != batch.length and (batch.length is not None or length < batch.at_least):
            self._wrong(f"length {length}", bytes(buffer[:end]))
        connection.needs = 0 if batch.bodiless or status == 204 else length - (count - end - 4)
        if connection.needs <= 0:
            self._done(connection)

    def _chunk(self, connection: Connection, data: bytes | bytearray) -> None:
        chunks = connection.chunks
        assert chunks is not None
        chunks += data
        if not chunks.endswith(b"\r\n\r\n"):
            return
        length = _chunked_length(chunks)
        if length is None:
            return
        connection.chunks = None
        connection.needs = 0
        if length < self.batch.at_least or self.batch.length not in (None, length):
            self._wrong(f"length {length}", bytes(chunks[:1000]))
        self._done(connection)

    def _done(self, connection: Connection) -> None:
        now = time.perf_counter()
        measured = self.measured
        measured.latencies.append(now - connection.started)
        measured.done += 1
        self.under_way -= 1
        if connection.needs < 0:
            self._wrong("bytes after the answer", b"")
        if connection.unsent is not None or connection.waiting is not None:
            self._wrong("answered before the body was sent", b"")
            connection.closing = True
        if connection.closing:
            self._replace(connection)
        else:
            self._next(connection)

    def _lost(self, connection: Connection, error: OSError) -> None:
        self.under_way -= 1
        self._wrong(f"connection: {error}", connection.answer)
        self._replace(connection)

    def _replace(self, connection: Connection) -> None:
        number = connection.sock.fileno()
        del self.open[number]
        connection.sock.close()
        self._next(self._connect())

    def _wrong(self, what: str, answer: bytes) -> None:
        errors = self.measured.errors
        errors[what] += 1
        if errors.total() >= ERRORS_BORNE:
            raise LoadFailed(f"{dict(errors)}; the last answer: {answer[:2000]!r}")


def _chunked_length(data: bytearray) -> int | None:
    """The length of a body sent in chunks, None while it is not whole.

    https://www.rfc-editor.org/rfc/rfc9112#name-chunked-transfer-coding
    """
    at = total = 0
    while (line := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line].split(b";")[0], 16)
        if not size:
            return total
        total += size
        at = line + 2 + size + 2
    return None
