"""One request and its answer on a connection: ASGI's receive and send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gateway.filling import LARGE, Filler
from gateway.logging import log
from gateway.request import HEADERS
from gateway.s3.rendered import FILE, WHOLE, Source, join_lines
from gateway.sending import send_file

if TYPE_CHECKING:
    from gateway.protocol import Protocol

Headers = list[tuple[bytes, bytes]]
Message = dict[str, Any]
Application = Callable[..., Awaitable[None]]

# So much of a body may wait here for its reader.
READ_AHEAD = 64 << 10

ENDLESS = b"text/event-stream"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
FAILED: Message = {"type": WHOLE, "status": 500, "head": b"content-length: 0\r\n", "body": b""}

_defaults: tuple[Headers, bytes] = ([], b"")


class Exchange:
    """`keep_alive`: the connection goes on after the answer; `gone`: the client is not there any more."""

    __slots__ = (
        "bodiless",
        "came",
        "chunked",
        "complete",
        "connection",
        "ending",
        "endless",
        "filler",
        "gone",
        "keep_alive",
        "left",
        "more_body",
        "pieces",
        "scope",
        "size",
        "started",
        "taken",
        "task",
        "waiter",
        "withheld",
    )

    def __init__(self, connection: Protocol, scope: Message, keep_alive: bool, withheld: bool) -> None:
        self.connection = connection
        self.scope = scope
        self.keep_alive = keep_alive
        self.withheld = withheld  # the body, until it is asked for
        self.pieces: list[bytes | bytearray] = []
        self.size = self.came = 0
        self.filler: Filler | None = None
        self.more_body = True
        self.taken = self.started = self.complete = self.gone = self.ending = False
        self.waiter: asyncio.Future[None] | None = None
        self.task: asyncio.Task[None] | None = None

    async def run(self, application: Application) -> None:
        try:
            await application(self.scope, self.receive, self.send)
        except Exception as failure:
            log.error("the application failed", exc_info=failure)
        finally:
            self.connection.tasks.discard(self.task)
            if not self.complete and not self.gone:
                await self.break_off()

    async def break_off(self) -> None:
        """An answer that has no end ends the connection; one that has not begun is an error's."""
        self.keep_alive = False
        if not self.started:
            await self.send(FAILED)
        self.connection.transport.close()

    # the body, as it comes

    def take(self, piece: bytes | bytearray) -> None:
        self.pieces.append(piece)
        self.size += len(piece)
        if self.size > READ_AHEAD:
            self.connection.pause_reading()
        if self.waiter is not None:
            self.wake()

    def take_end(self) -> None:
        self.more_body = False
        if self.waiter is not None:
            self.wake()

    def hang_up(self) -> None:
        self.gone = True
        if self.waiter is not None:
            self.wake()

    def end(self) -> None:
        """An answer that has no end of its own finds one: as if the client wanted no more of it."""
        if self.started and self.endless:
            self.keep_alive, self.ending = False, True
            self.wake()

    async def receive(self) -> Message:
        if self.withheld:
            self.withheld = False
            self.connection.transport.write(CONTINUE)
        while not self.gone and not self.complete:
            if self.taken or (self.more_body and not self.pieces):
                if self.ending:
                    break
                await self.wait()
                continue
            pieces, size, self.pieces, self.size = self.pieces, self.size, [], 0
            self.taken = not self.more_body
            if self.more_body and self.filler is None:
                self.came += size
                self.connection.resume_reading()
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            return {"type": "http.request", "body": body, "more_body": self.more_body}
        return {"type": "http.disconnect"}

    @property
    def waits_for_body(self) -> bool:
        return self.waiter is not None and not self.taken

    def stall(self, error: Exception) -> None:
        """Of a body that does not come: raised where it is awaited. What came of it so far is dropped."""
        self.keep_alive = self.more_body = False
        self.pieces.clear()
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_exception(error)

    async def wait(self) -> None:
        if self.filler is None and self.left_to_come >= LARGE:
            self.filler = Filler(self, self.left_to_come)
        self.connection.resume_reading()
        self.waiter = self.connection.loop.create_future()
        try:
            await self.waiter
        finally:
            self.waiter = None

    @property
    def left_to_come(self) -> int:
        """Bytes of the body, 0 if nobody knows or if it is all here."""
        headers = self.scope[HEADERS]
        if not self.more_body or "transfer-encoding" in headers:
            return 0
        return int(headers.get("content-length", 0)) - self.came

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    # the answer

    async def send(self, message: Message) -> None:
        connection = self.connection
        while connection.writable is not None and not self.gone:
            await asyncio.shield(connection.writable)
        if self.gone or self.complete:
            return
        kind = message["type"]
        if kind == WHOLE:
            self.send_whole(message["status"], message["head"], message["body"])
        elif kind == "http.response.start":
            self.send_head(message["status"], message["headers"])
        elif kind == FILE:
            await self.send_file(message["file"])
        else:
            self.send_body(message.get("body", b""), message.get("more_body", False))

    def send_whole(self, status: int, head: bytes, body: bytes) -> None:
        """In one write. RuntimeError: the head does not say where the answer ends."""
        if self.has_body(status):
            if head.find(b"content-length: %d\r\n" % len(body)) < 0:
                raise RuntimeError("the answer's body is not as long as its head says")
        elif body:
            raise RuntimeError(f"an answer of status {status} has no body")
        self.started = self.complete = True
        connection = self.connection
        close = b"" if self.keep_alive else b"connection: close\r\n"
        connection.transport.write(b"".join((self.first_lines(status), close, head, b"\r\n", body)))
        connection.finished(self)

    def send_head(self, status: int, headers: Headers) -> None:
        self.started = True
        head = self.first_lines(status) + header_lines(headers)
        said = dict(headers)
        self.endless = said.get(b"content-type") == ENDLESS
        self.bodiless = not self.has_body(status)
        self.chunked = not self.bodiless and b"content-length" not in said
        self.left = 0 if self.bodiless else int(said.get(b"content-length", 0))
        if said.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            head += b"connection: close\r\n"
        if self.chunked:
            head += b"transfer-encoding: chunked\r\n"
        self.connection.transport.write(head + b"\r\n")

    def send_body(self, body: bytes | memoryview, more: bool) -> None:
        """Raises RuntimeError for more or less of it than the head said."""
        transport = self.connection.transport
        if self.chunked:
            if body:
                transport.write(b"".join((b"%x\r\n" % len(body), body, b"\r\n")))
            if not more:
                transport.write(b"0\r\n\r\n")
        elif not self.bodiless:
            self.left -= len(body)
            if self.left < 0 or (self.left and not more):
                raise RuntimeError("the answer's body is not as long as its head says")
            if body:
                transport.write(body)
        if not more:
            self.complete = True
            self.wake()
            self.connection.finished(self)

    async def send_file(self, source: Source) -> None:
        """A part of the body. Raises RuntimeError where the head does not say how long that is."""
        if self.chunked or self.bodiless or source.left > self.left:
            raise RuntimeError("the answer's body is not as long as its head says")
        self.left -= source.left
        await send_file(self, source)

    def has_body(self, status: int) -> bool:
        return self.scope["method"] != "HEAD" and status != 204 and status != 304

    def first_lines(self, status: int) -> bytes:
        line = STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
        return line + default_lines(self.connection.server_state.default_headers)


def default_lines(headers: Headers) -> bytes:
    """The date and the server's name, which uvicorn makes anew every second."""
    global _defaults
    if _defaults[0] is not headers:
        _defaults = headers, header_lines(headers)
    return _defaults[1]


def header_lines(headers: Headers) -> bytes:
    return join_lines([f"{name.decode('latin-1')}: {value.decode('latin-1')}\r\n" for name, value in headers])
