"""A response before it is sent."""

from __future__ import annotations

from typing import Any, NamedTuple


class Rendered(NamedTuple):
    """`body` is bytes, or for a streaming payload what the operation gave. Header names are lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: Any
