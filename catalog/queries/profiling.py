"""Where the time of a query goes: DuckDB's EXPLAIN ANALYZE, made readable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from catalog.database.client import Reached, fetch
from catalog.database.frames import Sql

_SKIPPED = ("RESULT_COLLECTOR", "EXPLAIN_ANALYZE")
_ABOUT = ("View", "Filters", "Conditions", "Groups", "Order By", "Aggregates", "Function")
_MUCH = 0.5  # of the time
_MANY_ROWS = 100_000
_VIEW = "SECURE_VIEW"


@dataclass(frozen=True)
class Operator:
    """`seconds` are CPU time in it alone, in all threads; `rows` are those it gave; `about` names what it worked on.

    A view is one operator: DuckDB tells nobody what happens within a secure one.
    """

    depth: int
    name: str
    about: str
    seconds: float
    rows: int
    filtered: bool


@dataclass(frozen=True)
class Profile:
    """`seconds` passed on the clock, `planning` of them before anything ran; `memory` is the most it held, in bytes."""

    seconds: float
    planning: float
    memory: int
    operators: tuple[Operator, ...]
    hints: tuple[str, ...]


def profile(catalog: Reached, statement: str) -> Profile:
    """Runs the query. Raises QueryRefused, QueryFailed, QueryStopped."""
    ((_, text),) = fetch(catalog, Sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")).rows
    told = msgspec.json.decode(text)
    operators = tuple(found for root in told["operator"] for found in _operators(root, 0))
    planning = sum(float(told[part]["total_time"]) for part in ("planner", "optimizer", "physical_planner"))
    whole, memory = float(told["query"]["total_time"]), int(told["system"]["peak_buffer_memory"])
    return Profile(whole, planning, memory, operators, tuple(_hints(operators)))


def _operators(node: dict[str, Any], depth: int) -> Iterator[Operator]:
    """It and those it reads from, each with how deep it lies."""
    if node["type"] not in _SKIPPED:
        more = node["extra_info"]
        yield Operator(
            depth,
            node["type"],
            "; ".join(_text(more[name]) for name in _ABOUT if more.get(name)),
            float(node["timing"]),
            int(node["intermediate_rows"]),
            bool(more.get("Filters")),
        )
        depth += 1
    for child in node.get("children", ()):
        yield from _operators(child, depth)


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _hints(operators: tuple[Operator, ...]) -> Iterator[str]:
    """Only what the figures themselves show."""
    spent = sum(operator.seconds for operator in operators)
    for operator in operators:
        if spent and operator.seconds > _MUCH * spent:
            name = f"{_VIEW} {operator.about.partition(';')[0]}" if operator.name == _VIEW else operator.name
            yield f"{name} takes {operator.seconds / spent:.0%} of the time"
        if operator.name == _VIEW and operator.rows >= _MANY_ROWS and not operator.filtered:
            yield f"no condition reached {operator.about}: it gave all of its {operator.rows:,} rows"
