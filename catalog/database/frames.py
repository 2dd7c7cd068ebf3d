"""What goes over the catalog process's socket: a length, then one of these as MessagePack."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from catalog.records import Position

SOCKET = "catalog.sock"
LENGTH = 4  # bytes of the length, big-endian
MAX_REQUEST = 4 * 1024 * 1024
MAX_ANSWER = 2**31


class Frame(msgspec.Struct, tag_field="kind"):
    pass


class Sql(Frame, tag="sql"):
    """Answered by Columns, any number of Rows, and End; by Failure at any point instead."""

    statement: str
    seconds: float = 60.0


class AskStatus(Frame, tag="status"):
    """Answered by Status."""


class Sync(Frame, tag="sync"):
    """Answered by Synced, once everything is applied that was acknowledged before it was asked."""


class Columns(Frame, tag="columns"):
    """`types` are DuckDB's names."""

    names: list[str]
    types: list[str]


class Rows(Frame, tag="rows"):
    """An Arrow stream of one batch or a few."""

    arrow: bytes


class End(Frame, tag="end"):
    rows: int


class Failure(Frame, tag="error"):
    """`fact` is the name of the class in catalog.errors."""

    fact: str
    why: str


class Status(Frame, tag="status"):
    """`rows` by table, `sizes` of files by name; `problem` is why applying has stopped, if it has."""

    applied: Position
    end: Position
    rows: dict[str, int]
    sizes: dict[str, int]
    problem: str | None = None


class Synced(Frame, tag="synced"):
    applied: Position


Request = Sql | AskStatus | Sync
Answer = Columns | Rows | End | Failure | Status | Synced

_encode = msgspec.msgpack.Encoder().encode
decode_request: Callable[[bytes], Request] = msgspec.msgpack.Decoder(Request).decode
decode_answer: Callable[[bytes], Answer] = msgspec.msgpack.Decoder(Answer).decode


def pack(frame: Frame) -> bytes:
    body = _encode(frame)
    return len(body).to_bytes(LENGTH, "big") + body
