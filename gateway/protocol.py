"""HTTP on a connection: uvicorn's, with a limit to the head of a request and S3's own answer to what is no request."""

from __future__ import annotations

import os

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.s3.errors import S3Error, render_error

# S3 takes 8 KiB of headers; a key of 1,024 bytes may come percent-encoded, and a presigned URL adds to it.
MAX_HEAD = 64 << 10


class Protocol(HttpToolsProtocol):
    """While a head is incomplete, what has come of it is counted: nobody may fill the memory with one."""

    head = 0
    in_head = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.head, self.in_head = 0, True

    def on_headers_complete(self) -> None:
        self.in_head = False
        super().on_headers_complete()

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
