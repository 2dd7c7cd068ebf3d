"""XML documents to clients: closures made from the model's shapes turn snake-case dicts into elements.

In the place of a member of the root a document takes `bytes`: its elements, already written. That, with
`row_template`, is the fast path of a listing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from gateway.s3.names import named, python_name
from gateway.s3.quirks import PLAIN_ETAGS
from gateway.s3.times import exact_time, xml_time
from gateway.s3.xml import NAMESPACE, PROLOG, XSI, escape

Writer = Callable[[Any], str]


def compile_document(
    tag: str, shape: StructureShape, members: Iterable[str], strict: bool = False
) -> Callable[[dict[str, Any]], bytes]:
    """The document whose root element, in S3's namespace, has these members in this order.

    Other keys may be there too, unless `strict`.
    """
    opening, closing = f'{PROLOG}<{tag} xmlns="{NAMESPACE}">'.encode(), f"</{tag}>".encode()
    writers = _writers(shape, members)
    known = writers.keys()

    def write_document(value: dict[str, Any]) -> bytes:
        pieces = [opening]
        for name, write in writers.items():
            item = value.get(name)
            if item is not None:
                pieces.append(item if isinstance(item, bytes) else write(item).encode())
        if strict and not value.keys() <= known:
            raise TypeError(f"{shape.name} has no {', '.join(sorted(value.keys() - known))}")
        pieces.append(closing)
        return b"".join(pieces)

    return named(write_document, f"write_{tag}_document")


def row_template(shape: ListShape, tag: str, columns: Iterable[str]) -> str:
    """A `%` template of one row with these columns (`owner.id` for an element within one), in this order.

    The caller writes what goes in: `escape` for text, `xml_time` for times; an ETag's quotes are there.
    """
    pieces: list[str] = []
    open_parent = ""
    for column in columns:
        parent, _, name = column.rpartition(".")
        if parent != open_parent:
            pieces.append(_closing(open_parent, shape.member))
            pieces.append(f"<{_tag_of(shape.member, parent)}>" if parent else "")
            open_parent = parent
        within = _member_of(shape.member, parent)[1] if parent else shape.member
        element = _tag_of(within, name)
        value = "&quot;%s&quot;" if _quoted(within, name) else "%s"
        pieces.append(f"<{element}>{value}</{element}>")
    return f"<{tag}>{''.join(pieces)}{_closing(open_parent, shape.member)}</{tag}>"


def element_tag(name: str, shape: Shape) -> str:
    """The tag a member's element has; for a flattened list that of each row."""
    tag: str = shape.serialization.get("name", name)
    if shape.type_name == "list" and shape.serialization.get("flattened") and "name" not in shape.serialization:
        tag = shape.member.serialization.get("name", name)
    return tag


def compile_element(tag: str, shape: Shape, quoted: bool = False) -> Writer:
    match shape.type_name:
        case "structure":
            return _structure(tag, shape)
        case "list":
            return _flattened_list(tag, shape) if shape.serialization.get("flattened") else _list(tag, shape)
        case _:
            return _scalar(tag, shape, quoted)


def _structure(tag: str, shape: StructureShape) -> Writer:
    attributes = [
        (python_name(name), member.serialization["name"])
        for name, member in shape.members.items()
        if member.serialization.get("xmlAttribute")
    ]
    if attributes:
        return _attributed(tag, shape, attributes)
    opening, closing = f"<{tag}>", f"</{tag}>"
    write_content = _content(shape, shape.members)

    def write_structure(value: Any) -> str:
        return f"{opening}{write_content(value)}{closing}"

    return named(write_structure, f"write_{shape.name}")


def _attributed(tag: str, shape: StructureShape, attributes: list[tuple[str, str]]) -> Writer:
    names = {name for name, _ in attributes}
    write_content = _content(shape, [name for name in shape.members if python_name(name) not in names])

    def write_attributed(value: dict[str, Any]) -> str:
        written = "".join(f' {attribute}="{escape(value[name])}"' for name, attribute in attributes if name in value)
        inside = {name: item for name, item in value.items() if name not in names}
        return f'<{tag} xmlns:xsi="{XSI}"{written}>{write_content(inside)}</{tag}>'

    return named(write_attributed, f"write_{shape.name}")


def _content(shape: StructureShape, members: Iterable[str]) -> Writer:
    """What stands inside a structure's element; a key that the shape lacks is a TypeError."""
    writers = _writers(shape, members)
    known = writers.keys()

    def write_content(value: dict[str, Any]) -> str:
        found = [write(item) for name, write in writers.items() if (item := value.get(name)) is not None]
        if len(found) != len(value) and not value.keys() <= known:
            raise TypeError(f"{shape.name} has no {', '.join(sorted(value.keys() - known))}")
        return "".join(found)

    return named(write_content, f"write_{shape.name}_content")


def _writers(shape: StructureShape, members: Iterable[str]) -> dict[str, Writer]:
    return {
        python_name(name): compile_element(
            element_tag(name, shape.members[name]), shape.members[name], _quotes(shape, name)
        )
        for name in members
    }


def _list(tag: str, shape: ListShape) -> Writer:
    write_item = compile_element(shape.member.serialization.get("name", "member"), shape.member)

    def write_list(value: Any) -> str:
        return f"<{tag}>{''.join(map(write_item, value))}</{tag}>"

    return named(write_list, f"write_{shape.name}")


def _flattened_list(tag: str, shape: ListShape) -> Writer:
    write_item = compile_element(tag, shape.member)

    def write_rows(value: Any) -> str:
        return "".join(map(write_item, value))

    return named(write_rows, f"write_{shape.name}")


def _scalar(tag: str, shape: Shape, quoted: bool) -> Writer:
    opening, closing = f"<{tag}>", f"</{tag}>"
    if quoted:
        opening, closing = f"{opening}&quot;", f"&quot;{closing}"
    return named(_SCALARS[shape.type_name](opening, closing, shape), f"write_{tag}")


def _string(opening: str, closing: str, shape: Shape) -> Writer:
    return lambda value: f"{opening}{escape(value)}{closing}"


def _whole(opening: str, closing: str, shape: Shape) -> Writer:
    return lambda value: f"{opening}{value}{closing}"


def _boolean(opening: str, closing: str, shape: Shape) -> Writer:
    true, false = f"{opening}true{closing}", f"{opening}false{closing}"
    return lambda value: true if value else false


def _timestamp(opening: str, closing: str, shape: Shape) -> Writer:
    """Dates that a client chose are those the model calls iso8601."""
    written = exact_time if shape.serialization.get("timestampFormat") == "iso8601" else xml_time
    return lambda value: f"{opening}{written(value)}{closing}"


_SCALARS: dict[str, Callable[[str, str, Shape], Writer]] = {
    "string": _string,
    "integer": _whole,
    "long": _whole,
    "boolean": _boolean,
    "timestamp": _timestamp,
}


def _quotes(shape: StructureShape, name: str) -> bool:
    return name == "ETag" and shape.name not in PLAIN_ETAGS


def _member_of(shape: StructureShape, snake: str) -> tuple[str, Shape]:
    for name, member in shape.members.items():
        if python_name(name) == snake:
            return name, member
    raise TypeError(f"{shape.name} has no {snake}")


def _tag_of(shape: StructureShape, snake: str) -> str:
    return element_tag(*_member_of(shape, snake))


def _quoted(shape: StructureShape, snake: str) -> bool:
    return _quotes(shape, _member_of(shape, snake)[0])


def _closing(parent: str, shape: StructureShape) -> str:
    return f"</{_tag_of(shape, parent)}>" if parent else ""
