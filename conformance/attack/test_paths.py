"""No key, bucket, header or query of SQL names a file: what looks like a path stays text, wherever it comes in.

The server runs in a folder of its own with a bait beside it, under strace: every file that any of its processes opens
for writing, makes, renames or removes, lies in its data folder.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from conformance.raw import Raw
from conformance.server import Server, ducket, running

BAIT = "not to be seen, not to be changed"

UP = "../" * 12
PATHS = [
    f"{UP}tmp/escaped", "..", ".", "/etc/passwd", "a/../../escaped", "..\\..\\escaped", "a\0b", "~/escaped", "file:///etc/passwd",
    "%2e%2e%2fescaped", "${HOME}/escaped", "$(touch escaped)", "`touch escaped`", "; touch escaped", "con\n../escaped", "-rf", "*",
]  # fmt: skip


@dataclass(frozen=True)
class Sandbox:
    server: Server
    folder: Path
    trace: Path

    @property
    def bait(self) -> Path:
        return self.folder / "bait"

    def listing(self) -> list[str]:
        """All that is there outside of the data folder and of what the server is watched with."""
        own = (self.server.data, self.trace.parent)
        return sorted(str(path) for path in self.folder.rglob("*") if not any(path.is_relative_to(one) for one in own))
