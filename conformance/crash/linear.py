"""Is a history of one key linearizable? Wing and Gong's search, with Lowe's memory of what was tried already.

A history is what clients saw: each call with the moments it began and ended, what it asked and what it was told. It is
linearizable if every call can be given a moment between its two, so that one after another they make sense.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FOREVER = float("inf")
Value = str | None  # an ETag; None: the key is not there


@dataclass(frozen=True)
class Call:
    """`told` is what a read saw. A write that was `refused` (412) held its condition against the key in vain."""

    kind: Literal["read", "write"]
    began: float
    ended: float  # FOREVER for one that was never answered: it took place at any time, or never
    told: Value = None
    put: Value = None
    only_if: Value | Literal["any"] = "any"  # the value that a write demands; None: that the key is not there
    refused: bool = False

    def after(self, value: Value) -> tuple[bool, Value]:
        """Whether the call makes sense where the key has `value`, and what it has then."""
        if self.kind == "read":
            return value == self.told, value
        holds = self.only_if in ("any", value)
        if self.ended == FOREVER:
            return True, self.put if holds else value
        return holds is not self.refused, value if self.refused else self.put


def is_linearizable(history: list[Call], value: Value = None) -> bool:
    """`value` is what the key has at the beginning."""
    calls = sorted(history, key=lambda call: call.began)
    tried: set[tuple[int, Value]] = set()
    todo = [(0, value)]  # the calls that took place, as a bit each, and what the key has then
    answered = sum(1 << place for place, call in enumerate(calls) if call.ended != FOREVER)
    while todo:
        done, value = todo.pop()
        if done & answered == answered:
            return True
        steps = [state for state in _steps(calls, done, value) if state not in tried]
        tried.update(steps)
        todo += steps
    return False


def _steps(calls: list[Call], done: int, value: Value) -> list[tuple[int, Value]]:
    """Every call that may be the next: none that was not made yet ended before it began."""
    steps = []
    horizon = FOREVER
    for place, call in enumerate(calls):
        if call.began > horizon:
            break
        if done >> place & 1:
            continue
        horizon = min(horizon, call.ended)
        fits, then = call.after(value)
        if fits:
            steps.append((done | 1 << place, then))
    return steps
