"""Rows of an answer as Python values."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from catalog.database.frames import Rows


def values(rows: Rows, types: list[str]) -> list[tuple[Any, ...]]:
    """Rows as Python values."""
    table = pa.ipc.open_stream(rows.data).read_all()
    return list(zip(*map(_column, table.columns, types), strict=True))


def _column(column: pa.ChunkedArray, kind: str) -> list[Any]:
    if kind == "TIMESTAMP_NS":
        column = column.cast(pa.timestamp("us"), safe=False)
    try:
        found = column.to_pylist(maps_as_pydicts="strict")
    except (ValueError, OverflowError):  # a time that Python has no value for
        found = column.cast(pa.string()).to_pylist()
    if kind in ("HUGEINT", "UHUGEINT"):  # to Arrow these are decimals
        return [None if value is None else int(value) for value in found]
    assert isinstance(found, list)
    return found
