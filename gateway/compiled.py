"""Compiled modules hide the sources they were made of: nobody is to run what they edited or updated in vain."""

from __future__ import annotations

import hashlib
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path


def refuse_stale(root: Path, mark: Path) -> int:
    """How many sources were compiled, as the mark that `setup.py` leaves says. Raises ImportError if one changed."""
    try:
        lines = mark.read_text().splitlines()
    except FileNotFoundError:
        return 0  # nothing was compiled here, or it was installed as a whole
    for digest, path in (line.split("  ") for line in lines):
        source = root / path
        if not source.exists() or hashlib.sha256(source.read_bytes()).hexdigest() != digest:
            raise ImportError(
                f"{path} has changed since Ducket was compiled: install it again (`make serve`, `make test`,"
                " `pip install -e .`), or take away what was compiled (`make interpreted`)"
            )
    return len(lines)


refuse_stale(Path(__file__).parent.parent, Path(__file__).with_name("compiled.sha256"))

# Whether it is C that runs, made for this Python.
COMPILED = any(Path(__file__).with_name(f"request{suffix}").exists() for suffix in EXTENSION_SUFFIXES)
