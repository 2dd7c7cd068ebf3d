"""A fresh table of operations for each test, handlers for any of them, and requests without a socket."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.s3.errors import S3Error
from gateway.s3.model import Operation, load_operations, load_routes
from gateway.s3.parse import input_members, required_members
from gateway.s3.read import compile_document


@dataclass
class Sent:
    """What parsing reads of a request."""

    bucket: str | None = "bucket"
    key: str | None = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None


class Table:
    """All operations; `take` binds to one a handler of just these keywords (all that there are, if none is named)."""

    def __init__(self) -> None:
        self.operations = load_operations()
        self.route = load_routes(self.operations)

    def take(self, name: str, *keywords: str) -> Operation:
        operation = self.operations[name]
        required = required_members(operation._model)
        names = required | set(keywords) if keywords else input_members(operation._model)

        async def handler(cx: object, **arguments: object) -> None: ...

        handler.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter("cx", inspect.Parameter.POSITIONAL_OR_KEYWORD),
                *(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in sorted(names)),
            ]
        )
        operation.bind(handler)
        return operation


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def sent() -> type[Sent]:
    return Sent


@pytest.fixture
def read(table: Table):
    """Read a document as the payload of an operation."""

    def call(name: str, document: bytes) -> dict[str, Any]:
        shape = table.operations[name]._model.input_shape
        member = shape.members[shape.serialization["payload"]]
        return compile_document(member, member.serialization["name"])(document)

    return call


@pytest.fixture
def refused():
    """The S3 error that a call raises."""

    def call(function: Any, *arguments: Any) -> S3Error:
        with pytest.raises(S3Error) as caught:
            function(*arguments)
        return caught.value

    return call
