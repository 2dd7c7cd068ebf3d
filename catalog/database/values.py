"""Rows of an answer as Python values."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa

from catalog.database.frames import Rows


def values(rows: Rows, types: list[str]) -> list[tuple[Any, ...]]:
    """Rows as Python values."""
    table = pa.ipc.open_stream(rows.data).read_all()
    return list(zip(*map(_column, table.columns, types), strict=True))


def _column(column: pa.ChunkedArray, kind: str) -> list[Any]:
    if kind == "MAP(VARCHAR, VARCHAR)":
        return [value for chunk in column.chunks for value in _maps(chunk)]
    if kind == "TIMESTAMP_NS":
        column = column.cast(pa.timestamp("us"), safe=False)
    try:
        found = column.to_pylist(maps_as_pydicts="strict")
    except (ValueError, OverflowError):  # a time that Python has no value for
        found = column.cast(pa.string()).to_pylist()
    if kind == "INTERVAL":
        return [None if value is None else _interval(*value) for value in found]
    if kind in ("HUGEINT", "UHUGEINT"):  # to Arrow these are decimals
        return [None if value is None else int(value) for value in found]
    assert isinstance(found, list)
    return found


def _maps(chunk: pa.MapArray) -> list[dict[str, str | None] | None]:
    """Arrow's own conversion takes ten times as long."""
    pairs = list(zip(chunk.keys.to_pylist(), chunk.items.to_pylist(), strict=True))
    ends = chunk.offsets.to_pylist()
    found: list[dict[str, str | None] | None] = [dict(pairs[start:end]) for start, end in pairwise(ends)]
    if chunk.null_count:
        found = [value if valid else None for value, valid in zip(found, chunk.is_valid().to_pylist(), strict=True)]
    return found


def _interval(months: int, days: int, nanoseconds: int) -> str:
    """A timedelta has no months, and not as many days."""
    before = [f"{count} {unit}" for count, unit in ((months, "months"), (days, "days")) if count]
    return " ".join([*before, str(timedelta(microseconds=nanoseconds // 1000))])
