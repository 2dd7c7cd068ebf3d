"""Which operation a request asks for: a table made once from the model, no pattern matching."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from botocore.model import OperationModel

from gateway.s3 import quirks
from gateway.s3.errors import S3Error, invalid_argument

Target = TypeVar("Target")
Route = Callable[[str, str | None, str | None, dict[str, str], dict[str, str]], Target]

_DEPTHS = (0, 1, 2)
_RESOURCES = ("SERVICE", "BUCKET", "OBJECT")


def compile_routes(targets: Iterable[tuple[OperationModel, Target]]) -> Route[Target]:
    """A function of method, bucket, key, query and headers; the more a row needs, the earlier it is tried."""
    rows = _rows([(_Asked.of(model), target) for model, target in targets if model.name not in quirks.SUPERSEDED])
    levels = [_level([row for row in rows if row.asked.depth == depth]) for depth in _DEPTHS]

    def route(
        method: str, bucket: str | None, key: str | None, query: dict[str, str], headers: dict[str, str]
    ) -> Target:
        target: Target
        depth = 0 if bucket is None else 1 if key is None else 2
        place = levels[depth].get(method)
        if place is None:
            _refuse(levels, depth, method, query, headers)
        if query and not place.names.isdisjoint(query):
            for name in query:
                for row in place.by_name.get(name, ()):
                    if row.names <= query.keys() and row.headers <= headers.keys() and row.accepts(query):
                        target = row.target
                        return target
            _check_strays(levels, depth, method, query, headers)
        for row in place.plain:
            if row.headers <= headers.keys():
                target = row.target
                return target
        _refuse(levels, depth, method, query, headers)

    return route


@dataclass(frozen=True)
class _Asked:
    """What the model says that a request for the operation has."""

    name: str
    method: str
    depth: int
    static: Mapping[str, str]  # query names in the path's template, with the value each must have ("": any)
    query: frozenset[str]
    headers: frozenset[str]

    @classmethod
    def of(cls, model: OperationModel) -> _Asked:
        path, _, template = model.http["requestUri"].partition("?")
        static = dict(item.partition("=")[::2] for item in template.split("&") if item)
        shape = model.input_shape
        required = [shape.members[name].serialization for name in shape.required_members] if shape else []
        return cls(
            name=model.name,
            method=model.http["method"],
            depth=len([part for part in path.split("/") if part]),
            static=static,
            query=frozenset(
                (
                    *(where["name"] for where in required if where.get("location") == "querystring"),
                    *quirks.EXTRA_NEEDS.get(model.name, ()),
                )
            ),
            headers=frozenset(where["name"].lower() for where in required if where.get("location") == "header"),
        )


@dataclass(frozen=True)
class _Row:
    """Of no type of target in particular, for generic dataclasses cannot be compiled."""

    asked: _Asked
    names: frozenset[str]
    headers: frozenset[str]
    values: tuple[tuple[str, str], ...]
    target: Any

    def accepts(self, query: dict[str, str]) -> bool:
        return all(query[name] == value for name, value in self.values)


@dataclass(frozen=True)
class _Place:
    """The rows of one method at one depth: each under one of the query names it needs, or `plain`."""

    by_name: Mapping[str, list[_Row]]
    plain: tuple[_Row, ...]
    names: frozenset[str]  # that a request must have for more than `plain` to matter
    subresources: frozenset[str]


def _rows(targets: list[tuple[_Asked, Target]]) -> list[_Row]:
    """Required members are needs only where they tell operations apart.

    Otherwise `DELETE /bucket?analytics` without its id would fall through to DeleteBucket. Parsing then says
    what is missing.
    """
    rows = []
    for asked, target in targets:
        twins = [
            other
            for other, _ in targets
            if (other.method, other.depth, other.static) == (asked.method, asked.depth, asked.static)
        ]
        apart = len(twins) > 1 or not asked.static
        rows.append(
            _Row(
                asked=asked,
                names=frozenset(asked.static) | (asked.query if apart else frozenset()),
                headers=asked.headers if apart else frozenset(),
                values=tuple((name, value) for name, value in asked.static.items() if value),
                target=target,
            )
        )
    return sorted(rows, key=lambda row: (-len(row.names), -len(row.headers)))


def _level(rows: list[_Row]) -> dict[str, _Place]:
    subresources = frozenset(name for row in rows for name, value in row.asked.static.items() if not value)
    if rows[0].asked.depth == _DEPTHS[-1]:
        subresources |= quirks.RESOURCES_OF_KEYS
    places = {}
    for method in {row.asked.method for row in rows}:
        own = tuple(row for row in rows if row.asked.method == method)
        strays = {name for at, depth, name in quirks.STRAYS if (at, depth) == (method, own[0].asked.depth)}
        by_name: dict[str, list[_Row]] = {}
        for row in own:
            if row.names:
                by_name.setdefault(min(row.asked.static or row.names), []).append(row)
        places[method] = _Place(
            by_name=by_name,
            plain=tuple(row for row in own if not row.names),
            names=subresources.union(strays, by_name),
            subresources=subresources,
        )
    return places


def _check_strays(
    levels: list[dict[str, _Place]],
    depth: int,
    method: str,
    query: dict[str, str],
    headers: dict[str, str],
) -> None:
    """A subresource that this method does not have must not act on the bucket or the object itself."""
    for name in query:
        if (method, depth, name) in quirks.STRAYS:
            code, message = quirks.STRAYS[method, depth, name]
            raise (invalid_argument(message, name, name) if code == "InvalidArgument" else S3Error(code, message))
        if name in levels[depth][method].subresources:
            _refuse(levels, depth, method, query, headers)


def _refuse(
    levels: list[dict[str, _Place]],
    depth: int,
    method: str,
    query: dict[str, str],
    headers: dict[str, str],
) -> NoReturn:
    places = levels[depth]
    subresources = next(iter(places.values())).subresources
    name = next((name for name in query if name in subresources), None)
    if (method, depth, name) == ("POST", 1, None):
        # What is of that type is no matter of routes: see `gateway.form.is_form`.
        condition = "Bucket POST must be of the enclosure-type multipart/form-data"
        raise S3Error("PreconditionFailed", fields={"Condition": condition})
    allowed = sorted(at for at, place in places.items() if (name in place.by_name if name else place.plain))
    kind = _RESOURCES[depth] if name is None else quirks.RESOURCE_TYPES.get(name, name.upper().replace("-", "_"))
    raise S3Error(
        "MethodNotAllowed",
        fields={"Method": method, "ResourceType": kind},
        headers={"allow": ", ".join(allowed)},
    )
