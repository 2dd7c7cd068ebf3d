"""XML documents from clients: parsed without XML's dangers, read by closures made from the model's shapes."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from lxml import etree

from gateway.s3.columns import Read, compile_columns
from gateway.s3.errors import S3Error
from gateway.s3.names import named, python_name
from gateway.s3.quirks import DISPENSABLE, DOCUMENT_ERRORS, FREE_ENUMS
from gateway.s3.times import parse_http_time, parse_iso_time
from gateway.s3.xml import NAMESPACE, XSI

MAX_DEPTH = 32
MAX_MARKS = 200_000  # 10,000 parts, each with a checksum, have 80,000 tags
MANY = 64  # elements in one: from here on reading by columns is faster than walking

Element = Any  # lxml.etree._Element
Reader = Callable[[Element], Any]


def compile_document(
    shape: StructureShape, root: str, members: Iterable[str] | None = None
) -> Callable[[bytes], dict[str, Any]]:
    """Read a document whose root is `root` (in S3's namespace, another or none) as snake-case dicts."""
    read = _structure(shape, members)

    def read_document(document: bytes) -> dict[str, Any]:
        element = _parse(document)
        if _local(element.tag) != root:
            raise S3Error("MalformedXML")
        content: dict[str, Any] = read(element)
        return content

    code = DOCUMENT_ERRORS.get(root)
    return named(_failing_as(code, read_document) if code else read_document, f"read_{root}_document")


def _failing_as(code: str, read: Callable[[bytes], dict[str, Any]]) -> Callable[[bytes], dict[str, Any]]:
    def read_document(document: bytes) -> dict[str, Any]:
        try:
            return read(document)
        except S3Error as refused:
            raise S3Error(code if refused.code == "MalformedXML" else refused.code, refused.message) from None

    return read_document


def _parse(document: bytes) -> Element:
    # The parser is told UTF-8, so that no other encoding can hide a DOCTYPE from this look.
    if b"<!DOCTYPE" in document or _too_many(document):
        raise S3Error("MalformedXML")
    try:
        root = etree.fromstring(document, _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        raise S3Error("MalformedXML") from None
    if root.getroottree().docinfo.internalDTD is not None or _too_deep(root):
        raise S3Error("MalformedXML")
    return root


def _too_many(document: bytes) -> bool:
    """Whether it has more tags or attributes than any document of S3's: each costs fifty times its bytes in memory."""
    if document.count(b"<") > MAX_MARKS:
        return True
    return document.count(b"=") > MAX_MARKS and document.count(b'"') + document.count(b"'") > MAX_MARKS


_PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)
_too_deep = etree.XPath(f"boolean({'/*' * (MAX_DEPTH + 1)})")


def _compile(shape: Shape) -> Reader:
    match shape.type_name:
        case "structure":
            return _structure(shape)
        case "list":
            return _wrapped_list(shape)
        case _:
            return _scalar(shape)


def _structure(shape: StructureShape, members: Iterable[str] | None = None) -> Reader:
    """Elements that the shape lacks are passed over, as by S3; a repeated or missing one is malformed."""
    singles: dict[str, tuple[str, Reader]] = {}
    repeated: dict[str, tuple[str, Reader]] = {}
    by_columns: tuple[str, Callable[[Element], Read | None]] | None = None
    attributes: list[tuple[str, str, Reader]] = []
    names = frozenset(shape.members if members is None else members)
    for name in names:
        member = shape.members[name]
        tag = member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            prefixed = tag.replace("xsi:", f"{{{XSI}}}")
            attributes.append((prefixed, python_name(name), _enumerated(member)))
        elif member.type_name == "list" and _flattened(member):
            item = member.serialization.get("name") or member.member.serialization.get("name") or name
            repeated[item] = (python_name(name), _compile(member.member))
            if (read_columns := _columns(item, member.member)) is not None:
                by_columns = python_name(name), read_columns
        elif name == "ETag":
            singles[tag] = (python_name(name), _read_etag)
        else:
            singles[tag] = (python_name(name), _compile(member))
    singles |= {f"{{{NAMESPACE}}}{tag}": entry for tag, entry in singles.items()}
    needed = set(shape.required_members) - DISPENSABLE.get(shape.name, frozenset())
    required = frozenset(python_name(name) for name in needed if name in names)

    def read_structure(element: Element) -> dict[str, Any]:
        content: dict[str, Any] = {}
        children: Iterable[Element] = element
        if by_columns is not None and len(element) >= MANY:
            name, read_columns = by_columns
            found = read_columns(element)
            if found is not None:
                content[name], children = found
        for child in children:
            tag = child.tag
            single = singles.get(tag)
            if single is None:
                tag = _local(tag)
                single = singles.get(tag)
            if single is not None:
                name, read = single
                if name in content:
                    raise S3Error("MalformedXML")
                content[name] = read(child)
            elif tag in repeated:
                name, read = repeated[tag]
                content.setdefault(name, []).append(read(child))
        for attribute, name, check in attributes:
            value = element.get(attribute)
            if value is not None:
                content[name] = check(value)
        if not required <= content.keys():
            raise S3Error("MalformedXML")
        return content

    return named(read_structure, f"read_{shape.name}")


def _columns(item: str, shape: Shape) -> Callable[[Element], Read | None] | None:
    """For structures of nothing but plain values."""
    if shape.type_name != "structure":
        return None
    if any(member.type_name in ("structure", "list", "map") for member in shape.members.values()):
        return None
    members = {
        member.serialization.get("name", name): (python_name(name), _convert_all(name, member))
        for name, member in shape.members.items()
    }
    return compile_columns(item, members, frozenset(map(python_name, shape.required_members)))


def _convert_all(name: str, shape: Shape) -> Callable[[list[str]], list[Any]]:
    if name == "ETag":
        return _unquoted
    if shape.type_name == "integer":
        return _integers
    convert = _converter(shape)
    return list if convert is str else lambda texts: list(map(convert, texts))


def _wrapped_list(shape: ListShape) -> Reader:
    item = shape.member.serialization.get("name", "member")
    read = _compile(shape.member)

    def read_list(element: Element) -> list[Any]:
        return [read(child) for child in element if _local(child.tag) == item]

    return named(read_list, f"read_{shape.name}")


def _scalar(shape: Shape) -> Reader:
    convert = _converter(shape)

    def read_scalar(element: Element) -> Any:
        if len(element):
            raise S3Error("MalformedXML")
        return convert(element.text or "")

    return named(read_scalar, f"read_{shape.name}")


def _converter(shape: Shape) -> Callable[[str], Any]:
    return _enumerated(shape) if shape.type_name == "string" else _CONVERSIONS[shape.type_name]


def _read_etag(element: Element) -> str:
    """Without its quotes, as an ETag is everywhere behind the wire."""
    text: str = element.text or ""
    return text.strip().removeprefix('"').removesuffix('"')


def _unquoted(texts: list[str]) -> list[str]:
    """The same for many, in which mostly all or none have quotes, and no spaces around them."""
    joined = "".join(texts)
    if joined.encode().isalnum():
        return texts
    inner = [text[1:-1] for text in texts]
    if '"{}"'.format('""'.join(inner)) == joined:
        return inner
    return [text.strip().removeprefix('"').removesuffix('"') for text in texts]


def _enumerated(shape: Shape) -> Callable[[str], str]:
    values = frozenset() if shape.name in FREE_ENUMS else frozenset(getattr(shape, "enum", ()))
    return _member_of(values) if values else str


def _member_of(values: frozenset[str]) -> Callable[[str], str]:
    def read_enum(text: str) -> str:
        value = text.strip()
        if value not in values:
            raise S3Error("MalformedXML")
        return value

    return read_enum


def _integer(text: str) -> int:
    digits = text.strip()
    if not (digits.removeprefix("-").isdecimal() and digits.isascii() and len(digits) < 20):
        raise S3Error("MalformedXML")
    return int(digits)


def _integers(texts: list[str]) -> list[int]:
    digits = "".join(texts)
    if digits.isdecimal() and digits.isascii() and max(map(len, texts)) < 20:
        return list(map(int, texts))
    return list(map(_integer, texts))


def _boolean(text: str) -> bool:
    match text.strip().lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
    raise S3Error("MalformedXML")


def _timestamp(text: str) -> int:
    """SDKs write dates in bodies as ISO 8601 or, where the model says rfc822, as HTTP dates."""
    moment = parse_iso_time(text.strip())
    if moment is None:
        moment = parse_http_time(text.strip())
    if moment is None:
        raise S3Error("MalformedXML")
    return moment


def _blob(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise S3Error("MalformedXML") from None


_CONVERSIONS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "long": _integer,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}


def _flattened(shape: ListShape) -> bool:
    return bool(shape.serialization.get("flattened"))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
