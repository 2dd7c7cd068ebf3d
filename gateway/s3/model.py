"""The operations of S3, each with its route, its parser, its renderer and the handler that does it.

botocore's service model is read once, at import; a handler that does not fit it is a TypeError at import.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from gateway.s3 import quirks
from gateway.s3.errors import S3Error
from gateway.s3.extensions import extended
from gateway.s3.names import named, python_name
from gateway.s3.parse import Arguments, Incoming, Parse, body_kind, compile_input, input_members, required_members
from gateway.s3.posted import render_posted
from gateway.s3.read import compile_document
from gateway.s3.render import Render, compile_output, compile_row_template
from gateway.s3.rendered import Rendered
from gateway.s3.route import Route, compile_routes

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Operation:
    """One S3 operation. Until a handler is bound, `parse` refuses with NotImplemented and nothing is compiled."""

    __slots__ = (
        "_model",
        "body_kind",
        "body_limit",
        "handler",
        "method",
        "name",
        "parse",
        "python_name",
        "render",
    )

    def __init__(self, model: OperationModel) -> None:
        self._model = model
        self.name: str = model.name
        self.python_name = python_name(model.name)
        self.method: str = model.http["method"]
        self.body_kind = body_kind(model)
        self.body_limit = quirks.BODY_LIMITS.get(model.name, quirks.BODY_LIMIT)
        self.handler: Callable[..., Any] | None = None
        self.parse: Parse = _not_implemented(model.name)
        self.render: Render = _nothing_to_render

    def bind(self, handler: Callable[..., Any]) -> None:
        """Its keywords are the members it honours; only those that are always given may lack a default."""
        if self.handler is not None:
            raise TypeError(f"{self.name} has a handler already: {self.handler.__module__}")
        self.parse = compile_input(self._model, self._keywords(handler))
        self.render = compile_output(self._model)
        self.handler = handler

    def row_template(self, member: str, *columns: str) -> str:
        """A `%` template of one row of the output list `member`: see `gateway.s3.write.row_template`."""
        return compile_row_template(self._model, member, columns)

    def _keywords(self, handler: Callable[..., Any]) -> frozenset[str]:
        members = input_members(self._model)
        required = required_members(self._model)
        _, *parameters = inspect.signature(handler).parameters.values()
        where = f"{handler.__module__}.{handler.__name__}"
        names = {parameter.name for parameter in parameters}
        if parameters and parameters[-1].kind is inspect.Parameter.VAR_KEYWORD:
            group = parameters.pop().name
            if group not in quirks.GROUPS:
                raise TypeError(f"{where}: there is no group of members called {group}")
            names = names - {group} | {python_name(name) for name in quirks.GROUPS[group]}
        if strangers := names - members:
            raise TypeError(f"{where}: {self.name} has no member {', '.join(sorted(strangers))}")
        for parameter in parameters:
            if parameter.default is parameter.empty and parameter.name not in required:
                raise TypeError(f"{where}: {parameter.name} may be absent and needs a default")
        if missing := required - names:
            raise TypeError(f"{where}: {self.name} requires {', '.join(sorted(missing))}")
        return frozenset(names)


class FormOperation(Operation):
    """PostObject: a PutObject to its parser and its renderer, once the form stands in the place of headers."""

    __slots__ = ("_stored",)

    def __init__(self, stored: Operation) -> None:
        self._stored = stored
        self.name, self.python_name, self.method = "PostObject", "post_object", "POST"
        self.body_kind, self.body_limit = "form", stored.body_limit
        self.handler = None
        self.parse, self.render = _not_implemented(self.name), _nothing_to_render

    def bind(self, handler: Callable[..., Any]) -> None:
        self.handler = handler
        self.parse, self.render = self._parse_form, self._render_posted

    def _parse_form(self, request: Incoming, document: bytes | None = None) -> Arguments:
        return self._stored.parse(request, document)

    def _render_posted(self, output: dict[str, Any] | None) -> Rendered:
        given = output or {}
        return render_posted(self._stored.render(given["stored"]), given)


def load_operations() -> dict[str, Operation]:
    """Every operation of the installed botocore's model, none with a handler."""
    return {name: Operation(_service.operation_model(name)) for name in _service.operation_names}


def load_routes(operations: dict[str, Operation]) -> Route[Operation]:
    return compile_routes((_service.operation_model(name), found) for name, found in operations.items())


def operation(handler: Handler) -> Handler:
    """Bind the handler to the S3 operation whose name in snake case it bears."""
    found = _by_python_name.get(handler.__name__)
    if found is None:
        raise TypeError(f"{handler.__module__}.{handler.__name__}: S3 has no such operation")
    found.bind(handler)
    return handler


def _nothing_to_render(output: object) -> Rendered:
    raise TypeError("an operation without a handler has no output")


def _not_implemented(name: str) -> Parse:
    def refuse(request: Incoming, document: bytes | None = None) -> Arguments:
        raise S3Error("NotImplemented", f"The operation {name} is not implemented.")

    return named(refuse, f"refuse_{python_name(name)}")


_service = ServiceModel(extended(Loader().load_service_model("s3", "service-2")), "s3")
operations: dict[str, Operation] = load_operations()
route: Route[Operation] = load_routes(operations)
POST_OBJECT = FormOperation(operations["PutObject"])  # which no route leads to: see `gateway.form.is_form`
read_tagging = compile_document(_service.shape_for("Tagging"), "Tagging")
_by_python_name = {found.python_name: found for found in (*operations.values(), POST_OBJECT)}
