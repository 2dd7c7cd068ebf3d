"""An operation's output to a response: closures made once for each operation from the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.model import OperationModel, StructureShape

from gateway.s3 import quirks
from gateway.s3.names import named, python_name
from gateway.s3.rendered import Rendered, join_lines
from gateway.s3.values import WriteLine, compile_line, metadata_lines
from gateway.s3.write import compile_document, element_tag, row_template
from gateway.s3.xml import NAMESPACE, PROLOG, escape

Output = dict[str, Any]
Render = Callable[[Output | None], Rendered]
WriteBody = Callable[[Output], Any]

MOST_SHAPES = 256  # of an operation's output that are remembered

Headers = list[tuple[str, WriteLine | None]]  # None for metadata, each of which is a line

_XML_TYPE = "content-type: application/xml\r\n"


def compile_output(model: OperationModel) -> Render:
    """None stands for a member that is absent; a key that the output's shape lacks is a TypeError."""
    standard = quirks.STATUSES.get(model.name, model.http.get("responseCode", 200))
    writers, others = _sorted_members(model)
    write_body, content_type, streams = _compile_body(model)
    head = model.http["method"] == "HEAD"
    has_status = "status" in others
    shapes: dict[tuple[str, ...], Headers] = {}

    def headers_of(names: tuple[str, ...]) -> Headers:
        """Those of an output with these names: there are few such lists, for an operation has few ways through it."""
        for name in names:
            if name not in writers and name not in others and name != "status":
                raise TypeError(f"the output of {model.name} has no {name}")
        found = [
            (name, writers.get(name)) for name in names if name in writers or (name == "metadata" and name in others)
        ]
        if len(shapes) < MOST_SHAPES:
            shapes[names] = found
        return found

    def render(output: Output | None) -> Rendered:
        content = output or {}
        names = tuple(content)
        headers = shapes.get(names)
        if headers is None:
            headers = headers_of(names)
        lines: list[str] = []
        for name, write in headers:
            value = content[name]
            if value is None:
                continue
            if write is None:
                lines += metadata_lines(value)
            else:
                lines.append(write(value))
        status = standard if has_status else content.get("status") or standard
        if head:
            return Rendered(status, join_lines(lines), b"")
        body = write_body(content)
        if content_type is not None:
            lines.append(content_type)
        whole = not streams or (isinstance(body, bytes) and content.get("content_length") is None)
        if whole and status != 204:
            lines.append(f"content-length: {len(body)}\r\n")
        return Rendered(status, join_lines(lines), body)

    return named(render, f"render_{python_name(model.name)}")


def compile_row_template(model: OperationModel, member: str, columns: tuple[str, ...]) -> str:
    shape = model.output_shape
    for name, found in shape.members.items():
        if python_name(name) == member:
            return row_template(found, element_tag(name, found), columns)
    raise TypeError(f"the output of {model.name} has no {member}")


def _sorted_members(model: OperationModel) -> tuple[dict[str, WriteLine], frozenset[str]]:
    """The members that are headers, with what writes each, and the names of all others."""
    writers: dict[str, WriteLine] = {}
    others: set[str] = set()
    shape = model.output_shape
    for name, member in (shape.members if shape is not None else {}).items():
        if member.serialization.get("location") == "header":
            writers[python_name(name)] = compile_line(member.serialization["name"].lower(), member)
        else:
            others.add(python_name(name))
    return writers, frozenset(others)


def _compile_body(model: OperationModel) -> tuple[WriteBody, str | None, bool]:
    """What makes the body, its content type (None: the operation's own or none), and whether it streams."""
    shape = model.output_shape
    payload = None if shape is None else shape.serialization.get("payload")
    if payload is not None:
        return _compile_payload(model, shape, payload)
    members = [
        name for name, member in (shape.members if shape else {}).items() if "location" not in member.serialization
    ]
    if not members:
        return lambda output: b"", None, False
    root = quirks.ROOTS.get(model.name, shape.name)
    if model.name in quirks.BARE_ROOTS:
        return _compile_bare(root, python_name(quirks.BARE_ROOTS[model.name])), _XML_TYPE, False
    first = quirks.ORDER.get(model.name, ())
    ordered = (*first, *(name for name in members if name not in first))
    return compile_document(root, shape, ordered), _XML_TYPE, False


def _compile_payload(model: OperationModel, shape: StructureShape, payload: str) -> tuple[WriteBody, str | None, bool]:
    member, argument = shape.members[payload], python_name(payload)
    if member.type_name == "blob" or member.serialization.get("eventstream"):
        return lambda output: output.get(argument, b""), None, True
    if member.type_name == "string":
        content_type = f"content-type: {quirks.TEXT_PAYLOAD_TYPE}\r\n"
        return lambda output: output[argument].encode(), content_type, False
    write = compile_document(element_tag(payload, member), member, member.members, strict=True)
    return lambda output: write(output.get(argument) or {}), _XML_TYPE, False


def _compile_bare(root: str, argument: str) -> WriteBody:
    def write_bare(output: Output) -> bytes:
        text = output.get(argument) or ""
        return f'{PROLOG}<{root} xmlns="{NAMESPACE}">{escape(text)}</{root}>'.encode()

    return write_bare
