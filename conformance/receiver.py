"""A webhook's other end: a real HTTP server on loopback that takes messages, or does not, as a test wants it."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

NAME = "hook"
ARN = f"arn:minio:sqs::{NAME}:webhook"


class Taken(NamedTuple):
    time: float
    path: str
    headers: dict[str, str]
    message: dict[str, Any]

    @property
    def record(self) -> dict[str, Any]:
        (record,) = self.message["Records"]
        return record  # type: ignore[no-any-return]

    @property
    def key(self) -> str:
        return unquote_plus(self.record["s3"]["object"]["key"])


class Receiver:
    """`answer` says by message with which status it is answered; what was answered 2xx is `taken`."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.taken: list[Taken] = []
        self.refused = 0
        self.location = ""  # of every answer, if any
        self.answer: Callable[[dict[str, Any]], int] = lambda message: 200
        self._server: ThreadingHTTPServer | None = None
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/some/path?a=b"

    @property
    def options(self) -> tuple[str, str]:
        return "--notify-webhook", f"{NAME}={self.url}"

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more; a connection that is open may stay so."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        now, body = time.time(), handler.rfile.read(int(handler.headers["content-length"]))
        message = json.loads(body)
        status = self.answer(message)
        with self._changed:
            if 200 <= status < 300:
                headers = {name.lower(): value for name, value in handler.headers.items()}
                self.taken.append(Taken(now, handler.path, headers, message))
            else:
                self.refused += 1
            self._changed.notify_all()
        handler.send_response(status)
        if self.location:
            handler.send_header("location", self.location)
        handler.send_header("content-length", "0")
        handler.end_headers()

    def wait(self, ready: Callable[[Receiver], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: ready(self))

    def events(self) -> list[Taken]:
        """Without test events."""
        return [taken for taken in list(self.taken) if "Records" in taken.message]

    def wait_for(self, count: int) -> list[Taken]:
        """So many events, and then all there are."""
        self.wait(lambda receiver: len(receiver.events()) >= count)
        return self.events()

    def by_key(self) -> dict[str, list[str]]:
        """The sequencers of the events of each key, in the order in which they came."""
        found: dict[str, list[str]] = defaultdict(list)
        for taken in self.events():
            found[taken.key].append(taken.record["s3"]["object"]["sequencer"])
        return found


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver(port)
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


def notify(s3: Any, bucket: str, *events: str, arn: str = ARN, **more: Any) -> None:
    rule = {"QueueArn": arn, "Events": list(events), **more}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [rule]})
