"""The database beside a scrub: reached when it is asked, and let go soon after, for a server that starts wants it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from catalog import Catalog
from catalog.database.client import Reached, reach
from catalog.database.frames import KeepValidations, Validation
from catalog.errors import CatalogUnusable, QueryFailed, QueryStopped

P = ParamSpec("P")
T = TypeVar("T")

UNREACHED = (CatalogUnusable, QueryFailed, QueryStopped)
TRIES = 3  # of a question that was broken off, to make room for a checkpoint or by the end of a server
HELD = 2.0  # seconds
AT_ONCE = 1000  # findings sent: each is some kilobytes at most


class Database:
    def __init__(self, catalog: Catalog, data: Path) -> None:
        self._catalog = catalog
        self._data = data
        self._stack = ExitStack()
        self._reached: Reached | None = None
        self._until = 0.0

    def ask(self, question: Callable[Concatenate[Reached, P], T], *given: P.args, **named: P.kwargs) -> T:
        """The question must read its answer to the end. Raises CatalogUnusable, QueryFailed, QueryStopped."""
        for _ in range(TRIES - 1):
            try:
                return question(self._reach(), *given, **named)
            except (QueryFailed, QueryStopped):
                self.close()
        return question(self._reach(), *given, **named)

    def keep(self, started: float, bucket_id: int | None, validations: list[Validation]) -> None:
        """Raises as `ask`."""
        for first in range(0, max(1, len(validations)), AT_ONCE):
            some = validations[first : first + AT_ONCE]
            self.ask(_keep, KeepValidations(round(started * 1000), bucket_id, some, more=first > 0))

    def rest(self) -> None:
        """To be called between questions, however long they are apart."""
        if self._reached is not None and time.monotonic() > self._until:
            self.close()

    def close(self) -> None:
        self._reached = None
        self._stack.close()

    def _reach(self) -> Reached:
        if self._reached is None:
            self._reached = self._stack.enter_context(reach(self._data, catalog=self._catalog))
            self._until = time.monotonic() + HELD
        return self._reached


def _keep(reached: Reached, given: KeepValidations) -> None:
    reached.keep_validations(given)
