"""Files in the data folder that nothing names: they take room, and are no harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from catalog import Catalog
from gateway.blobs import Blobs
from gateway.blobs.mending import ASIDE

SETTLED = 60.0  # seconds after which a body whose record never came is taken for a stray
ABANDONED = 86_400.0  # seconds after which a body that nobody has written to is not on its way any more


def strays(catalog: Catalog, blobs: Blobs, data: Path, named: Callable[[], None]) -> list[Path]:
    """`named` is called for each body that is none.

    A body is there a moment before its record, and goes a moment after its last one: those are given time.
    """
    suspects = []
    for blob in blobs.older_than(time.time() - SETTLED):
        if catalog.blob_alive(blob):
            named()
        else:
            suspects.append(blob)
    if suspects:
        time.sleep(1)
    found = [blobs.path(blob) for blob in suspects if not catalog.blob_alive(blob)]
    return [path for path in [*found, *_set_aside(catalog, data), *_drafts(data)] if path.exists()]


def _set_aside(catalog: Catalog, data: Path) -> Iterator[Path]:
    for path in (data / "blobs").glob(f"*/*{ASIDE}"):
        if not catalog.blob_alive(bytes.fromhex(path.name.removesuffix(ASIDE))):
            yield path


def _drafts(data: Path) -> Iterator[Path]:
    for path in (data / "tmp").iterdir():
        try:
            if path.stat().st_mtime < time.time() - ABANDONED:
                yield path
        except FileNotFoundError:  # finished just now
            continue
