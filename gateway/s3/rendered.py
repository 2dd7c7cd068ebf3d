"""A response before it is sent."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

# An ASGI extension of ours: an answer with its body in one message, which costs half of two.
WHOLE = "http.response.whole"
# Another: a part of a body that lies in a file, and need not pass through the process.
FILE = "http.response.file"


class Rendered(NamedTuple):
    """`body` is bytes, or for a streaming payload what the operation gave. Header names are lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: Any


class Source(Protocol):
    """What lies in a file: `left` bytes of it are still to be sent."""

    @property
    def left(self) -> int: ...

    async def send_to(self, line: int) -> int:
        """Moves some of it into a socket that does not block. Raises BlockingIOError while that is full."""
