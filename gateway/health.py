"""Whether a server can do its work: `/-/health/live` that it answers, `/-/health/ready` how its catalog is."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog import Catalog
from catalog.database.frames import Health
from catalog.database.remote import health
from catalog.errors import CatalogUnusable
from gateway.lifecycle.report import last
from gateway.scrub.report import condition

PATIENCE = 2.0  # seconds for the catalog process to answer
LEAST_ROOM = 64 << 20  # bytes: a segment of the commit log


@dataclass(frozen=True)
class Readiness:
    """`sequence` is the last mutation acknowledged, `applied` the last that DuckDB has, `lag` how many are between.

    `problem` is why the server is not ready, None where it is; `free_bytes` is the room on the disk. `degraded` is what
    a scrub or a reader found wrong, for which no load balancer shall leave the server. `lifecycle` is when the last run
    of the lifecycle rules was through, None if it is not.
    """

    ready: bool
    problem: str | None
    sequence: int
    applied: int | None
    lag: int | None
    free_bytes: int
    degraded: str | None
    lifecycle: str | None


async def readiness(catalog: Catalog) -> Readiness:
    """Being behind is no problem: a query waits until what was acknowledged before it is applied."""
    free = shutil.disk_usage(catalog.folder.path).free
    applied, problem = None, None
    try:
        found = await answered(catalog.folder.path)
        applied, problem = found.applied, found.problem
    except CatalogUnusable as fact:
        problem = fact.why
    sequence = catalog.end().seq
    if problem is None and applied is not None and applied > sequence:
        problem = "the database is ahead of the key index: they are not of the same catalog"
    if problem is None and free < LEAST_ROOM:
        problem = "the disk is full"
    lag = None if applied is None else sequence - applied
    found_wrong = await asyncio.to_thread(condition, catalog.folder.path)  # a report may be long
    run = last(catalog.folder.path)
    lifecycle = run.through if run is not None else None
    return Readiness(problem is None, problem, sequence, applied, lag, free, found_wrong.degraded, lifecycle)


async def answered(data: Path) -> Health:
    """What the catalog process says of itself, within a moment. Raises CatalogUnusable."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await health(data)
    except TimeoutError:
        raise CatalogUnusable(f"the catalog process has not answered for {PATIENCE:g} seconds") from None


def described(found: Readiness) -> dict[str, object]:
    return asdict(found)
