"""Like elements by the thousand, read a column at a time: by XPath, in C, without the interpreter's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, overload

from lxml import etree

from gateway.s3.names import named
from gateway.s3.xml import NAMESPACE

Element = Any  # lxml.etree._Element
Convert = Callable[[list[str]], list[Any]]  # the texts of a column to its values


class Columns(Sequence[dict[str, Any]]):
    """Structures of which all have the same members: for each member the list of its values."""

    __slots__ = ("members",)

    def __init__(self, members: dict[str, list[Any]]) -> None:
        self.members = members

    def __len__(self) -> int:
        return len(next(iter(self.members.values())))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for values in zip(*self.members.values(), strict=True):
            yield dict(zip(self.members, values, strict=True))

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, at: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(at, slice):
            return [self[each] for each in range(len(self))[at]]
        return {name: values[at] for name, values in self.members.items()}


class Read(NamedTuple):
    """What an element consists of: its like children, and the others, to be walked."""

    columns: Columns
    others: list[Element]


def compile_columns(
    item: str, members: Mapping[str, tuple[str, Convert]], required: frozenset[str]
) -> Callable[[Element], Read | None]:
    """Reads an element's children named `item`; `members` are their own children by tag: the name and what converts it.

    None where they are not all alike, each with the same children in whatever order, all known, and each of those with
    some text and nothing else: then they must be walked, which also finds what is wrong with them.
    """
    spellings = [_Paths.compiled(item, members, namespace) for namespace in ("", NAMESPACE)]

    def read_columns(element: Element) -> Read | None:
        for paths in spellings:
            first = element.find(paths.item)
            if first is not None:
                break
        else:
            return None
        tags = [child.tag for child in first]
        if not paths.columns.keys() >= set(tags):
            return None
        if not required <= {paths.columns[tag].name for tag in tags}:
            return None
        count = int(paths.count(element))
        others = paths.others(element) if len(element) > count else []
        if any(etree.QName(other).localname == item for other in others):
            return None  # of another namespace: their order among the rest counts
        if not paths.cells(element) == paths.nodes(element) == count * len(tags):
            return None
        content = {}
        for name, texts_of, convert in (paths.columns[tag] for tag in tags):
            texts = texts_of(element)
            if len(texts) != count:
                return None
            content[name] = convert(texts)
        return Read(Columns(content), others)

    return named(read_columns, f"read_{item}_columns")


class _Column(NamedTuple):
    name: str
    texts: etree.XPath
    convert: Convert


class _Paths(NamedTuple):
    """From the element that has the items, where all is in one namespace or in none."""

    item: str
    count: etree.XPath
    others: etree.XPath
    cells: etree.XPath
    nodes: etree.XPath
    columns: dict[str, _Column]

    @classmethod
    def compiled(cls, item: str, members: Mapping[str, tuple[str, Convert]], namespace: str) -> _Paths:
        prefix, full = ("s:", f"{{{namespace}}}") if namespace else ("", "")

        def path(text: str) -> etree.XPath:
            return etree.XPath(text, namespaces={"s": NAMESPACE}, smart_strings=False)

        items = f"{prefix}{item}"
        return cls(
            f"{full}{item}",
            path(f"count({items})"),
            path(f"*[not(self::{items})]"),
            path(f"count({items}/*)"),
            path(f"count({items}/*/node())"),
            {
                f"{full}{tag}": _Column(name, path(f"{items}/{prefix}{tag}/text()"), convert)
                for tag, (name, convert) in members.items()
            },
        )
