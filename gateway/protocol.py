"""HTTP on a connection: httptools reads, uvicorn's server keeps; each request is an Exchange, one after the other."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import httptools
from uvicorn.config import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from gateway.exchange import Application, Exchange, default_lines
from gateway.logging import log
from gateway.request import HEADERS, TLS
from gateway.s3.errors import S3Error, render_error
from gateway.s3.rendered import FILE, WHOLE
from gateway.stalling import Watch
from gateway.state import State

# S3 takes 8 KiB of headers; a key of 1,024 bytes may come percent-encoded, and a presigned URL adds to it.
MAX_HEAD = 64 << 10

HASH = ord("#")

# Seconds that an idle connection is left to a client when the worker retires or has too many.
RETIRING_PATIENCE = 5

ASGI = {"version": "3.0", "spec_version": "2.3"}
Extensions = dict[str, dict[object, object]]
EXTENSIONS: Extensions = {WHOLE: {}, FILE: {}}
OVER_TLS: Extensions = {WHOLE: {}}


class Protocol(asyncio.Protocol):
    """One connection. uvicorn makes it, and asks it to `shutdown` when the server stops."""

    def __init__(
        self,
        config: Config,
        server_state: State,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.app: Application = config.loaded_app
        self.loop = _loop or asyncio.get_running_loop()
        self.patience = config.timeout_keep_alive
        self.server_state = server_state
        self.tasks = server_state.tasks
        self.connections: set[Any] = server_state.connections
        self.parser = self.new_parser()
        self.transport: asyncio.Transport
        self.client: tuple[str, int] | None = None
        self.server: tuple[str, int | None] | None = None
        self.scheme, self.extensions = "http", EXTENSIONS
        self.exchange: Exchange | None = None
        self.waiting: deque[Exchange] = deque()
        self.writable: asyncio.Future[None] | None = None
        self.reading = True
        self.retiring = False
        self.idle_since = self.loop.time()
        self.watch: Watch | None = None
        self.url = b""
        self.headers: dict[str, str] = {}
        self.head, self.in_head = 0, False

    def new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # What follows a request that closes the connection must not spoil the answer to it.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def start_anew(self) -> None:
        """With the next request, where the parser has not seen the end of the last."""
        self.parser = self.new_parser()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = line = cast(asyncio.Transport, transport)  # uvloop's is none by birth
        self.client, self.server = get_remote_addr(line), get_local_addr(line)
        self.scheme = "https" if is_ssl(line) else "http"
        self.connections.add(self)
        if (tls := line.get_extra_info("ssl_object")) is not None:
            self.extensions = OVER_TLS | {TLS: {"version": tls.version(), "cipher": tls.cipher()[0]}}
        if len(self.connections) > self.server_state.most_connections:
            self.turn_away()
        self.watch = Watch(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)
        if self.watch is not None:
            self.watch.stop()
        for exchange in (self.exchange, *self.waiting):
            if exchange is not None:
                exchange.hang_up()
        self.waiting.clear()
        self.resume_writing()

    def eof_received(self) -> None:
        pass

    def data_received(self, data: bytes) -> None:
        heading = self.headers if self.in_head else None
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.decline(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.refuse(S3Error("BadRequest"))
        else:
            if heading is not None and self.in_head and heading is self.headers:
                self.head += len(data)
                if self.head > MAX_HEAD:
                    self.refuse(S3Error("RequestHeaderSectionTooLarge", fields={"MaxSizeAllowed": str(MAX_HEAD)}))

    def pause_writing(self) -> None:
        if self.writable is None:
            self.writable = self.loop.create_future()

    def resume_writing(self) -> None:
        writable, self.writable = self.writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    # the parser's side

    def on_message_begin(self) -> None:
        self.url, self.headers = b"", {}
        self.head, self.in_head = 0, True

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        known, text = NAMES[name], value.rstrip().decode("latin-1")
        headers = self.headers
        headers[known] = f"{headers[known]},{text}" if known in headers else text

    def on_headers_complete(self) -> None:
        self.in_head = False
        if self.parser.should_upgrade():
            return  # the parser stops here, for `decline`
        scope = self.scope()
        keep_alive = self.parser.should_keep_alive() and scope["http_version"] != "1.0" and not self.retiring
        withheld = "expect" in self.headers and self.headers["expect"].lower() == "100-continue"
        self.headers = {}  # what follows a chunked body in HTTP's own trailers is nobody's header
        exchange = Exchange(self, scope, keep_alive, withheld)
        if self.exchange is None:
            self.start(exchange)
        else:
            self.pause_reading()
            self.waiting.append(exchange)

    def on_chunk_header(self) -> None:
        """Behind the last one come HTTP's trailers: a head like the first, and no longer."""
        self.headers = {}
        self.head, self.in_head = 0, True

    def on_chunk_complete(self) -> None:
        self.in_head = False

    def on_body(self, body: bytes) -> None:
        self.in_head = False
        if (exchange := self.last) is not None:
            exchange.take(body)

    def on_message_complete(self) -> None:
        if (exchange := self.last) is not None:
            exchange.take_end()

    @property
    def last(self) -> Exchange | None:
        """The request that is coming in, or came last; None once it has its answer."""
        return self.waiting[-1] if self.waiting else self.exchange

    def scope(self) -> Scope:
        """Raises ValueError for a target that is not ASCII, or is none."""
        url = self.url
        if url[:1] != b"/" or HASH in url:
            parsed = httptools.parse_url(url)
            path, query = parsed.path or b"/", parsed.query or b""
        else:
            path, _, query = url.partition(b"?")
        if not url.isascii():
            raise ValueError("a target that is not ASCII")
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": self.parser.get_http_version(),
            "method": self.parser.get_method().decode("ascii"),
            "raw_path": path,
            "query_string": query,
            "scheme": self.scheme,
            "client": self.client,
            "server": self.server,
            "extensions": self.extensions,
            HEADERS: self.headers,
        }
        return Scope(scope)

    def decline(self, rest: bytes) -> None:
        """Of a client that offers another protocol, as Java's does: goes on in HTTP/1.1, as if it had not."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.refuse(S3Error("BadRequest"))
            return
        self.headers.pop("upgrade", None)
        lines = [f"{name}: {value}" for name, value in self.headers.items()]
        head = f"{method.decode()} {self.url.decode()} HTTP/1.1\r\n" + "\r\n".join([*lines, "", ""])
        self.parser = self.new_parser()
        self.data_received(head.encode("latin-1") + rest)

    # what an exchange asks

    def start(self, exchange: Exchange) -> None:
        self.exchange = exchange
        state = self.server_state
        app = self.app if len(self.tasks) < state.most_requests else state.slow_down
        exchange.task = self.loop.create_task(exchange.run(app))
        self.tasks.add(exchange.task)

    def finished(self, exchange: Exchange) -> None:
        """The answer is out: the connection is the next one's, if it goes on."""
        self.exchange = None
        if not exchange.keep_alive:
            self.transport.close()
            return
        self.idle_since = self.loop.time()
        self.resume_reading()
        if self.waiting:
            self.start(self.waiting.popleft())

    def pause_reading(self) -> None:
        if self.reading:
            self.reading = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if not self.reading and not self.transport.is_closing():
            self.reading = True
            self.transport.resume_reading()

    # ends of a connection

    def turn_away(self) -> None:
        """One connection too many hears so in answer to its request; beyond twice as many none hears anything."""
        self.retiring, self.patience = True, RETIRING_PATIENCE
        self.app = self.server_state.slow_down
        if len(self.connections) > 2 * self.server_state.most_connections:
            self.transport.abort()

    def retire(self) -> None:
        """The next answer is the last. Without another request the connection ends once it was idle for a while:

        ended at once, it could meet a request that is on its way already.
        """
        self.retiring = True
        if (last := self.last) is not None:
            if not last.started:
                last.keep_alive = False
            last.end()
        self.patience = min(self.patience, RETIRING_PATIENCE)
        self.idle_since = self.loop.time()
        if self.watch is not None:
            self.watch.start()

    def shutdown(self) -> None:
        if (last := self.last) is None:
            self.transport.close()
        else:
            last.keep_alive = False
            last.end()

    def refuse(self, error: S3Error) -> None:
        """The answer to what is no request; none, where it would fall into the middle of another's."""
        self.in_head = False
        log.warning("refused what is no HTTP request: %s", error.code)
        if self.exchange is not None and self.exchange.started:
            self.transport.abort()
            return
        request_id = os.urandom(8).hex().upper()
        answer = render_error(error, "", request_id, "")
        own = f"x-amz-request-id: {request_id}\r\nconnection: close\r\n".encode()
        first = b"HTTP/1.1 %d Bad Request\r\n" % answer.status + default_lines(self.server_state.default_headers)
        self.transport.write(b"".join((first, own, answer.head, b"\r\n", answer.body)))
        self.transport.close()


class Scope(dict[str, Any]):
    """ASGI's scope of a request. What only the server's own paths ask for is made when it is asked for."""

    def __missing__(self, name: str) -> Any:
        match name:
            case "headers":
                made: Any = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in self[HEADERS].items()]
            case "path":
                made = unquote_to_bytes(self["raw_path"]).decode("utf-8", "replace")
            case "asgi":
                made = ASGI
            case "root_path":
                made = ""
            case _:
                raise KeyError(name)
        self[name] = made
        return made


class Names(dict[bytes, str]):
    """Names of headers in lower case, those that were met remembered within bounds."""

    def __missing__(self, sent: bytes) -> str:
        name = sent.lower().decode("latin-1")
        if len(self) < 1024 and len(sent) <= 64:
            self[sent] = name
        return name


NAMES = Names()
