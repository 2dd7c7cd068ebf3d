"""Events that waited for longer than the log keeps them, out of the journal; it brings DuckDB along."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from catalog import Catalog
from catalog.events import Event
from catalog.queries import list_events
from gateway.scrub.database import UNREACHED, Database

PAGE = 1000
RETRY = 1.0  # seconds


async def pages(
    catalog: Catalog, data: Path, after: int, until: int
) -> AsyncIterator[tuple[int, list[tuple[str, Event]]]]:
    """Events with the names of their buckets, behind the mutation `after` up to `until`, and how far each page goes.

    As long as the database cannot be asked, it is tried again.
    """
    database = Database(catalog, data)
    while after < until:
        try:
            found = await asyncio.to_thread(database.ask, list_events, after, until, PAGE)
        except UNREACHED:
            await asyncio.sleep(RETRY)
            continue
        finally:
            database.close()
        after = found[-1][1].seq if len(found) == PAGE else until
        yield after, found
