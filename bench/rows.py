"""The rows of the table: what is asked, over how many connections, against which bare app."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

KIB, MIB = 1024, 1024 * 1024
SIZES = {4 * KIB: "4KiB", MIB: "1MiB", 64 * MIB: "64MiB"}


@dataclass(frozen=True)
class Row:
    """`reach` is the least ratio to `bare` that one worker is to keep; None where nobody has set one."""

    work: str
    connections: int
    bare: str
    size: int = 4 * KIB
    reach: float | None = None
    default: bool = True

    @property
    def name(self) -> str:
        size = f"-{SIZES.get(self.size, self.size)}" if self.work in ("PUT", "PUT-SDK", "GET", "DELETE") else ""
        return f"{self.work}{size}@{self.connections}"

    @property
    def large(self) -> bool:
        return self.size >= MIB


def chosen(patterns: Sequence[str], every: bool = False) -> list[Row]:
    """Rows whose name fits one of the patterns (`PUT*`, `*@16`); without patterns those of a usual run."""
    if not patterns:
        return [row for row in ROWS if every or row.default]
    found = [row for row in ROWS if any(fnmatchcase(row.name, pattern) for pattern in patterns)]
    if not found:
        raise SystemExit(f"no row is named {' or '.join(patterns)}; there are {', '.join(_names(ROWS))}")
    return found


def _names(rows: Iterable[Row]) -> list[str]:
    return [row.name for row in rows]


ROWS = (
    Row("HEAD", 1, "empty"),
    Row("HEAD", 16, "empty", reach=0.35),
    Row("HEAD", 64, "empty"),
    Row("GET", 1, "empty"),
    Row("GET", 16, "empty", reach=0.30),
    Row("GET", 64, "empty"),
    Row("PUT", 1, "read"),
    Row("PUT", 16, "read", reach=0.20),
    Row("PUT", 64, "read"),
    Row("PUT-SDK", 1, "read", default=False),
    Row("PUT-SDK", 16, "read"),
    Row("DELETE", 1, "empty"),
    Row("DELETE", 16, "empty"),
    Row("DELETE", 64, "empty"),
    Row("LIST-1000", 1, "empty", reach=0.015),
    Row("LIST-1000", 16, "empty", reach=0.015),
    Row("LIST-1000", 64, "empty", default=False),
    Row("LIST-FOLDER", 1, "empty"),
    Row("LIST-FOLDER", 16, "empty"),
    Row("LIST-FOLDER", 64, "empty", default=False),
    Row("PUT", 1, "store", MIB),
    Row("PUT", 16, "store", MIB),
    Row("PUT", 64, "store", MIB, default=False),
    Row("GET", 1, "stream", MIB),
    Row("GET", 16, "stream", MIB),
    Row("GET", 64, "stream", MIB, default=False),
    Row("DELETE", 16, "empty", MIB, default=False),
    Row("PUT", 1, "store", 64 * MIB, reach=0.8),
    Row("PUT", 4, "store", 64 * MIB, reach=0.8),
    Row("PUT", 16, "store", 64 * MIB, default=False),
    Row("PUT", 64, "store", 64 * MIB, default=False),
    Row("GET", 1, "stream", 64 * MIB, reach=1.0),
    Row("GET", 4, "stream", 64 * MIB, reach=1.0),
    Row("GET", 16, "stream", 64 * MIB, default=False),
    Row("GET", 64, "stream", 64 * MIB, default=False),
)
