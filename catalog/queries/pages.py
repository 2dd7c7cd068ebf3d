"""Rows as frozen dataclasses, a page at a time: the next begins behind the last row of this one."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

import msgspec

from catalog.database.client import Reached, fetch
from catalog.database.frames import Sql, Value
from catalog.errors import InvalidFilter

T = TypeVar("T")

MAX_LIMIT = 100_000


@dataclass(frozen=True)
class Page(Generic[T]):
    """`next` asks for what follows, None if nothing does."""

    items: tuple[T, ...]
    next: str | None = None


def columns(kind: type) -> str:
    """The columns that a dataclass is made of, for a SELECT."""
    return ", ".join(field.name for field in fields(kind))


def rows(
    catalog: Reached, kind: type[T], statement: str, parameters: Mapping[str, Value], plain: bool = False
) -> list[T]:
    """For `plain` see `Sql`. Raises QueryFailed, QueryStopped, CatalogUnusable."""
    return [kind(*row) for row in values(catalog, statement, parameters, plain)]


def values(
    catalog: Reached, statement: str, parameters: Mapping[str, Value], plain: bool = False
) -> list[tuple[Any, ...]]:
    """As `rows`. Raises InvalidFilter for what cannot be text: a name may be any bytes."""
    for name, value in parameters.items():
        if isinstance(value, str) and not _is_text(value):
            raise InvalidFilter(name.partition("_is")[0].rstrip("_0123456789"), "it is not UTF-8")
    return fetch(catalog, Sql(statement, parameters=dict(parameters), plain=plain)).rows


def cut(found: Sequence[T], limit: int, mark: Sequence[str], more: Sequence[Value] = ()) -> Page[T]:
    """A page of `limit` of the rows, one more of which was asked for; `next` has their `mark` fields and `more`."""
    if len(found) <= limit:
        return Page(tuple(found))
    last = found[limit - 1]
    return Page(tuple(found[:limit]), _pack([*more, *(getattr(last, name) for name in mark)]))


def unpack(token: str | None, types: Sequence[Any]) -> list[Any] | None:
    """What `cut` put into a page's `next`. Raises InvalidFilter."""
    if token is None:
        return None
    try:
        found = msgspec.json.decode(urlsafe_b64decode(token.encode()))
        return [msgspec.convert(value, kind) for value, kind in zip(found, types, strict=True)]
    except (binascii.Error, UnicodeEncodeError, ValueError, TypeError):  # msgspec's errors are ValueErrors
        raise InvalidFilter("after", "it is not the `next` of a page of this query") from None


def check_limit(limit: int) -> None:
    """Raises InvalidFilter."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidFilter("limit", f"it is 1 to {MAX_LIMIT}")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _pack(found: list[Any]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(found)).decode()
