"""Puts a blob in the place of one that the disk has damaged, or sets that aside, where nobody is served from it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from gateway.blobs.store import Blobs, sync_names

ASIDE = ".damaged"


def aside(blobs: Blobs, blob: bytes) -> Path:
    path = blobs.path(blob)
    return path.with_name(path.name + ASIDE)


def set_aside(blobs: Blobs, blob: bytes) -> None:
    """Whoever reads it this moment goes on; who opens it from now on finds none. FileNotFoundError: it is gone."""
    blobs.path(blob).rename(aside(blobs, blob))
    sync_names(blobs.path(blob).parent)


def replace(
    blobs: Blobs,
    blob: bytes,
    offset: int,
    size: int,
    content: Iterable[bytes],
    sound: Callable[[], bool],
    whole: Path | None = None,
) -> bool:
    """Put `content`, of a size, at an offset, if it is `sound` when all of it was read; the rest of the blob stays.

    Where the blob is not there, or is shorter than the file `whole`, which is the same blob, that is the rest.
    False: not done, and nothing is changed. Raises OSError.
    """
    path, old = blobs.path(blob), aside(blobs, blob)
    rest = path if path.exists() else None
    if whole is not None and (rest is None or rest.stat().st_size < whole.stat().st_size):
        rest = whole
    if rest is None and (offset or (old.exists() and old.stat().st_size > size)):
        return False  # it would be there again without the rest of it
    draft = blobs.draft(blob).with_suffix(f".{os.getpid()}")
    try:
        if rest is not None:
            shutil.copyfile(rest, draft)
        with draft.open("r+b" if rest is not None else "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            if os.fstat(file.fileno()).st_size < offset:
                return False
            file.seek(offset)
            for block in content:
                file.write(block)
            file.flush()
            if not sound():
                return False
            os.fsync(file.fileno())
        draft.rename(path)
        old.unlink(missing_ok=True)
        sync_names(path.parent)
    finally:
        draft.unlink(missing_ok=True)
    return True
