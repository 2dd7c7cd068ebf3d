"""HTTP on a connection: uvicorn's, with a limit to the head of a request and S3's own answer to what is no request."""

from __future__ import annotations

import os
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.s3.errors import S3Error, render_error
from gateway.s3.rendered import WHOLE

# S3 takes 8 KiB of headers; a key of 1,024 bytes may come percent-encoded, and a presigned URL adds to it.
MAX_HEAD = 64 << 10

EXTENSIONS: dict[str, dict[object, object]] = {WHOLE: {}}

Headers = list[tuple[bytes, bytes]]
_defaults: tuple[Headers, bytes] = ([], b"")


class Protocol(HttpToolsProtocol):
    """While a head is incomplete, what has come of it is counted: nobody may fill the memory with one."""

    head = 0
    in_head = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.head, self.in_head = 0, True

    def on_headers_complete(self) -> None:
        self.in_head = False
        self.scope["extensions"] = EXTENSIONS
        super().on_headers_complete()
        if self.cycle is not None:
            self.cycle.__class__ = Cycle

    def data_received(self, data: bytes) -> None:
        if self.in_head:
            self.head += len(data)
            if self.head > MAX_HEAD:
                self.refuse(S3Error("RequestHeaderSectionTooLarge"))
                return
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        self.refuse(S3Error("BadRequest"))

    def refuse(self, error: S3Error) -> None:
        self.in_head = False
        request_id = os.urandom(8).hex().upper()
        answer = render_error(error, "", request_id, "")
        headers = [
            *self.server_state.default_headers,
            *answer.headers,
            (b"x-amz-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        lines = [b"HTTP/1.1 %d Bad Request" % answer.status, *(b"%s: %s" % header for header in headers)]
        self.transport.write(b"\r\n".join([*lines, b"", answer.body]))
        self.transport.close()


class Cycle(RequestResponseCycle):
    """uvicorn's side of a request and its answer, with answers that are one write."""

    async def send(self, message: Any) -> None:
        if message["type"] != WHOLE:
            await super().send(message)
            return
        status, headers, body = message["status"], message["headers"], message["body"]
        if not self.is_framed(status, headers, body):
            await super().send({"type": "http.response.start", "status": status, "headers": headers})
            await super().send({"type": "http.response.body", "body": body})
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        head = STATUS_LINE[status] + default_lines(self.default_headers) + header_lines(headers)
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.transport.write(b"%b\r\n%b" % (head if self.keep_alive else head + b"connection: close\r\n", body))
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def is_framed(self, status: int, headers: Headers, body: bytes | memoryview) -> bool:
        """Whether the headers say where the answer ends."""
        if self.scope["method"] == "HEAD" or status in (204, 304):
            return not body
        return dict(headers).get(b"content-length") == b"%d" % len(body)


def default_lines(headers: Headers) -> bytes:
    """The date and the server's name, which uvicorn makes anew every second."""
    global _defaults
    if _defaults[0] is not headers:
        _defaults = headers, header_lines(headers)
    return _defaults[1]


def header_lines(headers: Headers) -> bytes:
    """As they stand on the wire. RuntimeError: a value would end its line."""
    text = b"".join([b"%b: %b\r\n" % header for header in headers])
    if text.count(b"\n") != len(headers) or text.count(b"\r") != len(headers) or b"\0" in text:
        raise RuntimeError("Invalid HTTP header value.")
    return text
