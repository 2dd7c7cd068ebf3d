"""A result as bytes: batch by batch, as it comes.

Text is what DuckDB makes of a value, in JSON too: a map is an object, a time a text as in SQL, a BLOB one with escapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain, count
from typing import IO

import duckdb
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

Batches = Iterable[pa.RecordBatch]
_PLAIN = csv.WriteOptions(include_header=False)


def separate_streams(schema: pa.Schema, batches: Batches, cursor: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
    """Each batch an Arrow stream of its own; the first has no rows, but says which columns there are."""
    for batch in chain([pa.RecordBatch.from_pylist([], schema)], batches):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_batch(batch)
        yield sink.getvalue().to_pybytes()


def arrow(schema: pa.Schema, batches: Batches, cursor: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
    """One Arrow IPC stream: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format"""
    sink = _Taken()
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def jsonl(schema: pa.Schema, batches: Batches, cursor: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
    """A JSON object a row and line."""
    for lines in _objects(schema, batches, cursor):
        yield "".join(f"{line}\n" for line in lines).encode()


def json(schema: pa.Schema, batches: Batches, cursor: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
    """One array of an object a row."""
    before = "[\n"
    for lines in _objects(schema, batches, cursor):
        yield (before + ",\n".join(lines)).encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def csv_(schema: pa.Schema, batches: Batches, cursor: duckdb.DuckDBPyConnection) -> Iterator[bytes]:
    """With a line of names. NULL is an empty field; what is not a number is quoted."""
    yield _lines(pa.table({str(at): [name] for at, name in enumerate(schema.names)}))
    numbered = [f"c{at}" for at in range(len(schema))]
    fields = ", ".join(
        name if pa.types.is_integer(field.type) or pa.types.is_floating(field.type) else f"{name}::VARCHAR AS {name}"
        for name, field in zip(numbered, schema, strict=True)
    )
    for batch in batches:
        if batch.num_rows:
            with closing(cursor.cursor()) as own:
                own.register("result", batch.rename_columns(numbered))
                yield _lines(own.sql(f"SELECT {fields} FROM result").to_arrow_table())


def write_parquet(schema: pa.Schema, batches: Batches, target: IO[bytes]) -> int:
    """How many rows there were."""
    rows = 0
    with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _objects(schema: pa.Schema, batches: Batches, cursor: duckdb.DuckDBPyConnection) -> Iterator[list[str]]:
    names = distinct(schema.names)
    for batch in batches:
        if batch.num_rows:
            with closing(cursor.cursor()) as own:
                own.register("result", batch.rename_columns(names))
                yield own.sql("SELECT to_json(result)::VARCHAR AS line FROM result").to_arrow_table()[0].to_pylist()


def distinct(names: list[str]) -> list[str]:
    """Of equal names, and of those that differ in case only, the second gets _1 behind it, and so on."""
    taken: dict[str, str] = {}
    for name in names:
        candidates = chain([name], (f"{name}_{at}" for at in count(1)))
        free = next(candidate for candidate in candidates if candidate.lower() not in taken)
        taken[free.lower()] = free
    return list(taken.values())


def _lines(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink, _PLAIN)
    return bytes(sink.getvalue())


class _Taken:
    """A file that is written to on one side and emptied on the other."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken

    def flush(self) -> None: ...

    def close(self) -> None: ...


Encoder = Callable[[pa.Schema, Batches, duckdb.DuckDBPyConnection], Iterator[bytes]]
ENCODERS: dict[str, Encoder] = {
    "separate": separate_streams,
    "arrow": arrow,
    "jsonl": jsonl,
    "json": json,
    "csv": csv_,
}
