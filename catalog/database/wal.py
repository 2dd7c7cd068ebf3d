"""DuckDB's write-ahead log after a power cut: DuckDB takes one that ends early, but refuses one that is torn."""

from __future__ import annotations

import logging
import os
import re
import shutil
from pathlib import Path

# DuckDB's words for an entry that is not what it was written as; what lies before it is sound.
_TORN = re.compile(r"Corrupt WAL file: entry at byte position (\d+)")

log = logging.getLogger(__name__)


def cut_torn_tail(database: Path, problem: str) -> bool:
    """End the write-ahead log where it is sound, if that is the problem; it is kept whole under another name.

    Nothing is lost by this: what it held is applied again from the commit log, or taken from the key index.
    """
    wal = database.with_name(f"{database.name}.wal")
    found = _TORN.search(problem)
    if found is None:
        return False
    kept = wal.with_name(f"{wal.name}.damaged")
    shutil.copy(wal, kept)
    with wal.open("r+b") as file:
        file.truncate(int(found[1]))
        os.fsync(file.fileno())
    log.warning("%s was torn at byte %s and is cut there; as it was it is kept as %s", wal, found[1], kept.name)
    return True
