"""Puts a blob in the place of one that the disk has damaged, or sets that aside, where nobody is served from it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from gateway.blobs.pushing import sync_names
from gateway.blobs.store import Blobs
from gateway.blobs.sums import has_sums, renew, size_of_body, size_of_file

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
    The sums are made anew of the blocks that lie in the content, and of no others: the rest may be damaged.
    False: not done, and nothing is changed. Raises OSError.
    """
    path, old = blobs.path(blob), aside(blobs, blob)
    rest = path if path.exists() else None
    if whole is not None and (rest is None or rest.stat().st_size < whole.stat().st_size):
        rest = whole
    if rest is None and (offset or (old.exists() and old.stat().st_size > size_of_file(blob, size))):
        return False  # it would be there again without the rest of it
    draft = blobs.draft(blob).with_suffix(f".{os.getpid()}")
    try:
        if rest is not None:
            shutil.copyfile(rest, draft)
        with draft.open("r+b" if rest is not None else "w+b") as file:
            os.fchmod(file.fileno(), 0o600)
            body = _body(file, blob, offset, size)
            if body is None:
                return False
            file.seek(offset)
            for block in content:
                file.write(block)
            file.flush()
            if not sound():
                return False
            if has_sums(blob):
                renew(blob, file.fileno(), body, offset, offset + size)
            os.fsync(file.fileno())
        draft.rename(path)
        old.unlink(missing_ok=True)
        sync_names(path.parent)
    finally:
        draft.unlink(missing_ok=True)
    return True


def _body(file: BinaryIO, blob: bytes, offset: int, size: int) -> int | None:
    """The size of the blob's body once the stretch is in its place; None where something before that is lost."""
    found = os.fstat(file.fileno()).st_size
    if not has_sums(blob):
        return max(found, offset + size) if found >= offset else None
    if found >= size_of_file(blob, offset + size):
        return size_of_body(blob, found)
    if offset:
        return None
    file.truncate(0)  # the sums are lost with the end
    return size
