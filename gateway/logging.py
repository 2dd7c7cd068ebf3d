"""What the gateway says of itself: one JSON line a request, when asked for, and errors under their request ids."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
import traceback

import msgspec

from gateway.request import Request

STANDARD_ERROR = "-"
FLUSH_SECONDS = 0.2
SELDOM = 60.0  # seconds

log = logging.getLogger("ducket")


class RequestLog:
    """Lines are gathered and written a few times a second, so that a request pays for its encoding only."""

    def __init__(self, target: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = 2 if target == STANDARD_ERROR else os.open(target, flags, 0o640)
        self._lines: list[bytes] = []
        self._encode = msgspec.json.Encoder().encode

    def write(
        self, request: Request, operation: str, user: str, status: int, error: str, sent: int, started: float
    ) -> None:
        """`started` is a reading of time.perf_counter."""
        line = {
            "time": time.time(),
            "request_id": request.request_id,
            "client": request.client_ip,
            "user": user,
            "method": request.method,
            "operation": operation,
            "bucket": request.bucket,
            "key": request.key,
            "status": status,
            "error": error,
            "received": request.content_length or 0,
            "sent": sent,
            "milliseconds": round((time.perf_counter() - started) * 1000, 3),
            "user_agent": request.headers.get("user-agent", ""),
        }
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        self._lines.append(self._encode(line))

    def flush(self) -> None:
        if self._lines:
            lines, self._lines = self._lines, []
            os.write(self._file, b"\n".join(lines) + b"\n")


class Seldom:
    """A warning that many requests may give reason for: given with the first of them, and once a minute at most."""

    def __init__(self, message: str) -> None:
        self._message = message
        self._due = 0.0

    def give(self, request: Request, reason: object) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + SELDOM
            log.warning("%s: %r", self._message, reason, extra={"request_id": request.request_id})


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": record.created,
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        request_id = getattr(record, "request_id", None)
        if request_id:
            line["request_id"] = request_id
        if record.exc_info and record.exc_info[0]:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return msgspec.json.encode(line).decode()


def configure() -> None:
    """One JSON line an event on standard error. uvicorn's own errors are ours already, or of a client's making."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
