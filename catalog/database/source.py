"""What the database is filled from: the log, as far as the key index says that it was acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from catalog.dropping import Named, nobody
from catalog.index.contents import Contents
from catalog.records import LogRecord, Position
from catalog.store import Catalog


class Source(Protocol):
    @property
    def catalog_id(self) -> bytes: ...

    def end(self) -> Position:
        """Behind the last record that was acknowledged."""
        ...

    def reaches(self, position: Position) -> bool:
        """Whether all that was acknowledged behind `position` can be read."""
        ...

    def read(self, position: Position, end: Position, limit: int) -> tuple[list[tuple[int, LogRecord]], Position]:
        """Up to `limit` records between the two, with their sequence numbers, and the position behind them.

        Raises CatalogUnusable where the log is broken.
        """
        ...

    def contents(self) -> AbstractContextManager[Contents]:
        """What all that was acknowledged comes to."""
        ...

    def names(self, blob: bytes) -> bool:
        """Whether any version or part names the blob."""
        ...

    def tell_applied(self, applied: Position) -> None:
        """Say how far the database is, to those who write."""
        ...

    def lay_ahead(self) -> None:
        """Make ready what the next commits will write to."""
        ...

    def drop_dead_segments(self, applied: Position, named: Named = nobody) -> list[int]:
        """Let go of what the database, which holds everything up to `applied`, has made superfluous.

        `named` says whom the database has that names a body in a segment.
        """
        ...

    def compact(self, applied: Position) -> int | None:
        """Work a little on making segments superfluous; how many bytes moved, None when there is no more to do."""
        ...


@contextmanager
def open_source(directory: Path) -> Iterator[Source]:
    """The log of a data folder. Raises CatalogUnusable."""
    catalog = Catalog.open(directory)
    tail = catalog.tail()
    try:
        yield tail
    finally:
        tail.close()
        catalog.release()
