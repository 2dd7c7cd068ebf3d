"""A response before it is sent."""

from __future__ import annotations

from typing import Any, NamedTuple

# An ASGI extension of ours: an answer with its body in one message, which costs half of two.
WHOLE = "http.response.whole"


class Rendered(NamedTuple):
    """`body` is bytes, or for a streaming payload what the operation gave. Header names are lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: Any
