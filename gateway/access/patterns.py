"""Patterns of policies: `*` is any text, `?` any character, `${key}` what the request says of that key.

A pattern is taken apart when its policy is first seen; what matches a text then looks for fixed pieces of it, in order.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from itertools import groupby
from typing import NamedTuple

from gateway.access.asked import Asked
from gateway.access.keys import Getter, getter_of

Matcher = Callable[[str], bool]
Matching = Callable[[str, Asked], bool]


class Wild(Enum):
    ANY = "*"
    ONE = "?"


class Variable(NamedTuple):
    get: Getter
    default: str | None


Token = str | Wild | Variable


class Unresolved(Exception):
    """The request says nothing of a key that the policy's text names."""


def compile_pattern(text: str, wild: bool, variables: bool) -> Matching:
    """`wild`: stars and question marks mean something. What it returns raises Unresolved."""
    tokens = tokens_of(text, wild, variables)
    if not any(isinstance(token, Variable) for token in tokens):
        fixed = matcher(tokens)
        return lambda value, asked: fixed(value)
    return lambda value, asked: matcher(settled(tokens, asked))(value)


def tokens_of(text: str, wild: bool, variables: bool) -> list[Token]:
    """Raises ValueError for a variable that there is not."""
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        end = text.find("}", place) if variables and text.startswith("${", place) else -1
        if end >= 0:
            add(tokens, variable(text[place + 2 : end]))
            place = end + 1
        else:
            character = text[place]
            add(tokens, Wild(character) if wild and character in "*?" else character)
            place += 1
    return tokens


def add(tokens: list[Token], token: Token) -> None:
    """Text goes on with the text before it."""
    last = tokens[-1] if tokens else None
    if isinstance(token, str) and isinstance(last, str):
        tokens[-1] = last + token
    else:
        tokens.append(token)


def variable(inside: str) -> str | Variable:
    """`${*}`, `${?}` and `${$}` are the characters themselves; `${key, 'text'}` has a default."""
    if inside in ("*", "?", "$"):
        return inside
    name, comma, default = inside.partition(",")
    get = getter_of(name.strip())
    if get is None:
        raise ValueError(inside)
    return Variable(get, default.strip().strip("'") if comma else None)


def settled(tokens: Sequence[Token], asked: Asked) -> list[Token]:
    found: list[Token] = []
    for token in tokens:
        add(found, resolved(token, asked))
    return found


def resolved(token: Token, asked: Asked) -> str | Wild:
    if not isinstance(token, Variable):
        return token
    values = token.get(asked)
    if values is not None and len(values) == 1:
        return values[0]
    if token.default is None:
        raise Unresolved
    return token.default


class Stretch(NamedTuple):
    """A pattern between two stars: pieces of text at their offsets, any characters between them."""

    length: int
    pieces: tuple[tuple[int, str], ...]

    def at(self, text: str, place: int) -> bool:
        return all(text.startswith(piece, place + offset) for offset, piece in self.pieces)

    def find(self, text: str, place: int, end: int) -> int:
        """Where it is first, wholly between `place` and `end`; -1 if nowhere."""
        if len(self.pieces) == 1 and len(self.pieces[0][1]) == self.length:
            return text.find(self.pieces[0][1], place, end)
        for start in range(place, end - self.length + 1):
            if self.at(text, start):
                return start
        return -1


def matcher(tokens: Sequence[str | Wild | Variable]) -> Matcher:
    begins = tokens[0] if tokens else ""
    if isinstance(begins, str) and len(tokens) <= 1:
        return lambda text: text == begins
    if isinstance(begins, str) and len(tokens) == 2 and tokens[1] is Wild.ANY:
        return lambda text: text.startswith(begins)
    stretches = [stretch(part) for part in parted(tokens)]
    head, tail, between = stretches[0], stretches[-1], stretches[1:-1]
    if len(stretches) == 1:
        return lambda text: len(text) == head.length and head.at(text, 0)
    least = sum(each.length for each in stretches)

    def match(text: str) -> bool:
        if len(text) < least or not head.at(text, 0):
            return False
        end = len(text) - tail.length
        if not tail.at(text, end):
            return False
        place = head.length
        for each in between:
            place = each.find(text, place, end)
            if place < 0:
                return False
            place += each.length
        return True

    return match


def parted(tokens: Sequence[str | Wild | Variable]) -> list[list[str | Wild | Variable]]:
    parts: list[list[str | Wild | Variable]] = [[]]
    for token in tokens:
        if token is Wild.ANY:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def stretch(tokens: Sequence[str | Wild | Variable]) -> Stretch:
    pieces: list[tuple[int, str]] = []
    length = 0
    for is_text, group in groupby(tokens, lambda token: isinstance(token, str)):
        each = list(group)
        text = "".join(str(token) for token in each) if is_text else ""
        if text:
            pieces.append((length, text))
        length += len(text) if is_text else len(each)
    return Stretch(length, tuple(pieces))
