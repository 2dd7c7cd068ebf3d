"""A response before it is sent."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

# An ASGI extension of ours: an answer in one message, its head as bytes, which costs half of two.
WHOLE = "http.response.whole"
# Another: a part of a body that lies in a file, and need not pass through the process.
FILE = "http.response.file"


class Rendered(NamedTuple):
    """`head` is the header lines as they go out, names in lower case; `body` bytes, or what an operation streams."""

    status: int
    head: bytes
    body: Any


class Source(Protocol):
    """What lies in a file: `left` bytes of it are still to be sent."""

    @property
    def left(self) -> int: ...

    async def send_to(self, line: int) -> bool:
        """Moves some of it into a socket that does not block. False: that is full for now."""


def join_lines(lines: list[str]) -> bytes:
    """Header lines, each with its end. RuntimeError: a value would end its line early."""
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        raise RuntimeError("a header's value would end its line")
    return text.encode("latin-1")


def split_lines(head: bytes) -> list[tuple[bytes, bytes]]:
    """Header lines as ASGI has them."""
    return [(name, value) for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n")[:-1])]
