"""A request to a handler's keyword arguments: closures made once, from the model and the signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from botocore.model import OperationModel, Shape

from gateway.s3 import quirks
from gateway.s3.errors import S3Error, invalid_argument
from gateway.s3.integrity import NO_VALUES, PREFIX, Verify, compile_verify, no_algorithm
from gateway.s3.names import named, python_name
from gateway.s3.read import compile_document
from gateway.s3.values import METADATA_PREFIX, Convert, compile_decoder, decode_metadata


class Incoming(Protocol):
    """What parsing needs of a request: decoded names, lower-case headers, the body's own object."""

    @property
    def bucket(self) -> str | None: ...
    @property
    def key(self) -> str | None: ...
    @property
    def query(self) -> dict[str, str]: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def body(self) -> Any: ...


Arguments = dict[str, Any]
Document = Any  # bytes or a bytearray: what is compiled takes nothing but what it was told
Parse = Callable[[Incoming, Document | None], Arguments]
Known = dict[str, tuple[str, Convert | None]]


def compile_input(model: OperationModel, accepted: frozenset[str]) -> Parse:
    """`accepted` are the members that the handler takes; the others are refused when they come.

    A value that S3 passes over (None from its decoder) is left out, so that the handler's own default holds.
    """
    located = _located(model)
    harmless = quirks.HARMLESS | quirks.HARMLESS_WITH_DOCUMENT if body_kind(model) == "xml" else quirks.HARMLESS
    headers = _known(located["header"], accepted, "Header", harmless)
    query = _known(located["querystring"], accepted, "Parameter", harmless)
    headers.setdefault(quirks.COPY_SOURCE, ("", _refuse_value(quirks.COPY_SOURCE, quirks.COPY_SOURCE_ELSEWHERE)))
    for name, message in quirks.REFUSED_ON_READ.get(model.name, {}).items():
        headers[name] = ("", _refuse_value(name, message))
    for name, message in quirks.REFUSED_QUERY.get(model.name, {}).items():
        query[name] = ("", _refuse_value(name, message))
    query.setdefault(quirks.VERSION_ID, ("", _refuse_value(quirks.VERSION_ID, quirks.NO_VERSION_ID)))
    place = _compile_place(located["uri"])
    take_metadata = _compile_metadata(located["headers"], accepted)
    checksums = frozenset(name for name in headers if name.startswith(PREFIX)) - NO_VALUES
    take_payload = _compile_payload(model, accepted)
    required = _required(model, located)

    def parse(request: Incoming, document: Document | None = None) -> Arguments:
        arguments = place(request)
        sent = request.headers
        for name in sent.keys() & headers.keys():
            argument, convert = headers[name]
            value = sent[name] if convert is None else convert(sent[name])
            if value is not None:
                arguments[argument] = value
        if request.query:
            for name in request.query.keys() & query.keys():
                argument, convert = query[name]
                value = request.query[name] if convert is None else convert(request.query[name])
                if value is not None:
                    arguments[argument] = value
        if checksums or take_metadata is not None:
            names = "\n".join(sent)  # one look through all at once: most requests carry none of both
            if take_metadata is not None and METADATA_PREFIX in names:
                take_metadata(arguments, sent)
            if checksums and PREFIX in names:
                _check_algorithms(sent, checksums)
        if take_payload is not None:
            take_payload(arguments, request, document)
        for argument, wire_name in required:
            if not arguments.get(argument):
                raise _missing(wire_name)
        return arguments

    return named(parse, f"parse_{python_name(model.name)}")


def input_members(model: OperationModel) -> frozenset[str]:
    """Every keyword that a handler may take."""
    shape = model.input_shape
    return frozenset(map(python_name, shape.members)) if shape is not None else frozenset()


def required_members(model: OperationModel) -> frozenset[str]:
    """The keywords that a handler must take: it always gets them. A stream it gets even when it is empty."""
    shape = model.input_shape
    if shape is None:
        return frozenset()
    always = [shape.serialization["payload"]] if body_kind(model) == "stream" else []
    return frozenset(map(python_name, (*shape.required_members, *always)))


def body_kind(model: OperationModel) -> str:
    """`stream`: handed on as it comes; `xml`: read whole first (a policy, which is JSON, too); `none`."""
    shape = model.input_shape
    if shape is None:
        return "none"
    payload = shape.serialization.get("payload")
    if payload is not None:
        return "stream" if shape.members[payload].type_name == "blob" else "xml"
    return "xml" if any("location" not in member.serialization for member in shape.members.values()) else "none"


Located = dict[str, list[tuple[str, Shape]]]


def _located(model: OperationModel) -> Located:
    located: Located = {"header": [], "querystring": [], "uri": [], "headers": [], "body": []}
    if model.input_shape is not None:
        for name, member in model.input_shape.members.items():
            located[member.serialization.get("location", "body")].append((name, member))
    return located


def _known(members: list[tuple[str, Shape]], accepted: frozenset[str], kind: str, harmless: frozenset[str]) -> Known:
    known: Known = {}
    for name, shape in members:
        wire_name = shape.serialization["name"]
        key = wire_name.lower() if kind == "Header" else wire_name
        if python_name(name) in accepted:
            known[key] = (python_name(name), compile_decoder(wire_name, shape))
        elif key not in harmless:
            known[key] = ("", _refuse(kind, wire_name))
    return known


def _refuse(kind: str, wire_name: str) -> Convert:
    message = f"A {kind.lower()} you provided implies functionality that is not implemented"

    def refuse(text: str) -> str:
        raise S3Error("NotImplemented", message, fields={kind: wire_name})

    return named(refuse, f"refuse_{wire_name}")


def _refuse_value(name: str, message: str) -> Convert:
    def refuse(text: str) -> str:
        raise invalid_argument(message, name, text)

    return named(refuse, f"refuse_{name}")


def _compile_place(members: list[tuple[str, Shape]]) -> Callable[[Incoming], Arguments]:
    match [name for name, _ in members]:
        case []:
            return lambda request: {}
        case ["Bucket"]:
            return lambda request: {"bucket": request.bucket}
    return lambda request: {"bucket": request.bucket, "key": request.key}


def _compile_metadata(
    members: list[tuple[str, Shape]], accepted: frozenset[str]
) -> Callable[[Arguments, dict[str, str]], None] | None:
    if not members:
        return None
    takes = "metadata" in accepted

    def take_metadata(arguments: Arguments, headers: dict[str, str]) -> None:
        if metadata := decode_metadata(headers):
            if not takes:
                raise S3Error("NotImplemented", fields={"Header": f"{METADATA_PREFIX}{next(iter(metadata))}"})
            arguments["metadata"] = metadata

    return take_metadata


def _check_algorithms(headers: dict[str, str], known: frozenset[str]) -> None:
    """A checksum that nobody here can verify must not be passed over."""
    for name in headers:
        if name.startswith(PREFIX) and name not in known and name not in NO_VALUES:
            raise no_algorithm()


def _compile_payload(
    model: OperationModel, accepted: frozenset[str]
) -> Callable[[Arguments, Incoming, Document | None], None] | None:
    shape = model.input_shape
    match body_kind(model):
        case "none":
            return None
        case "stream":
            return _compile_stream(python_name(shape.serialization["payload"]))
    payload = shape.serialization.get("payload")
    verify = compile_verify(
        required=model.name in quirks.CHECKSUM_REQUIRED,
        of_object="ChecksumCRC32" in shape.members,
    )
    if payload is None:
        return _compile_body(shape, verify)
    member = shape.members[payload]
    argument = python_name(payload)
    is_text = member.type_name == "string"
    read = _text if is_text else compile_document(member, member.serialization["name"])
    needed = payload in shape.required_members

    def take_document(arguments: Arguments, request: Incoming, document: Document | None) -> None:
        verify(document or b"", request.headers, trailers_of(request))
        if document or is_text:
            arguments[argument] = read(document or b"")
        elif needed:
            raise S3Error("MissingRequestBodyError")

    return take_document


def _compile_stream(argument: str) -> Callable[[Arguments, Incoming, Document | None], None]:
    def take_stream(arguments: Arguments, request: Incoming, document: Document | None) -> None:
        arguments[argument] = request.body

    return take_stream


def _compile_body(shape: Any, verify: Verify) -> Callable[[Arguments, Incoming, Document | None], None]:
    """Members that lie in the document's root itself (SelectObjectContent)."""
    members = [name for name, member in shape.members.items() if "location" not in member.serialization]
    read = compile_document(shape, shape.serialization["name"], members)

    def take_body(arguments: Arguments, request: Incoming, document: Document | None) -> None:
        verify(document or b"", request.headers, trailers_of(request))
        if not document:
            raise S3Error("MissingRequestBodyError")
        arguments.update(read(document))

    return take_body


def trailers_of(request: Incoming) -> dict[str, str]:
    """What came behind the document; a request without one has no body."""
    trailers: dict[str, str] = request.body.trailers if request.body is not None else {}
    return trailers


def _text(document: Document) -> str:
    try:
        text: str = document.decode()
        return text
    except UnicodeDecodeError:
        raise S3Error("MalformedPolicy") from None


def _required(model: OperationModel, located: Located) -> tuple[tuple[str, str], ...]:
    """Required headers and parameters by keyword, with the name at the wire."""
    needed = frozenset(model.input_shape.required_members if model.input_shape else ())
    return tuple(
        (python_name(name), shape.serialization["name"])
        for name, shape in (*located["header"], *located["querystring"])
        if name in needed
    )


def _missing(wire_name: str) -> S3Error:
    default = ("InvalidRequest", f"Missing required parameter for this request: {wire_name}")
    code, message = quirks.MISSING.get(wire_name, default)
    return S3Error(code, message)
