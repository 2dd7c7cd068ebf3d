"""How the tables lie in the database's file, and how much of it is in memory: what `analyze` judges."""

from __future__ import annotations

from pathlib import Path

import duckdb

from catalog.database.connection import FILE
from catalog.database.frames import Reads, Storage, StoredTable
from catalog.database.limits import Limits

_TABLES = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'private' ORDER BY table_name"
_FULL = 122_880  # rows of a row group
# A column's own segments say how many rows each group holds, those that were removed among them.
_GROUPS = """
WITH segment AS (FROM pragma_storage_info('private.{name}')),
held AS (
    SELECT row_group_id, sum(count) AS rows, sum(count) FILTER (NOT persistent) AS unsaved
    FROM segment WHERE column_id = 0 AND segment_type <> 'VALIDITY' GROUP BY row_group_id
),
-- Sequence numbers are what rows are found by: groups whose ranges do not meet are passed over.
span AS (
    SELECT
        min(variant_extract(stats, 'min')::BIGINT) AS least,
        max(variant_extract(stats, 'max')::BIGINT) AS most
    FROM segment WHERE column_name = 'seq' AND segment_type <> 'VALIDITY'
    GROUP BY row_group_id
),
met AS (
    SELECT least, max(most) OVER (ORDER BY least ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM span
),
block AS (
    SELECT block_id AS id FROM segment WHERE persistent
    UNION SELECT unnest(additional_block_ids) FROM segment WHERE persistent
)
SELECT
    count(*),
    coalesce(sum(rows), 0)::BIGINT,
    coalesce(sum(unsaved), 0)::BIGINT,
    count(*) FILTER (rows < {full} // 2) - coalesce(max_by(rows < {full} // 2, row_group_id)::INTEGER, 0),
    (SELECT count(*) FROM met WHERE before >= least),
    (SELECT count(*) FROM block WHERE id >= 0)
FROM held
"""


def take_storage(
    connection: duckdb.DuckDBPyConnection, directory: Path, limits: Limits, reads: Reads | None = None
) -> Storage:
    """`reads` are those of the process that has had the database open for some time, if one has."""
    ((block, blocks, free),) = connection.execute(
        "SELECT block_size, total_blocks, free_blocks FROM pragma_database_size()"
    ).fetchall()
    names = [name for (name,) in connection.execute(_TABLES).fetchall()]
    tables = [_table(connection, name, block) for name in names]
    ((held,),) = connection.execute("SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()").fetchall()
    wal = directory / f"{FILE}.wal"
    return Storage(
        tables,
        size=block * blocks,
        free=block * free,
        wal=wal.stat().st_size if wal.exists() else 0,
        buffer=held,
        buffer_limit=limits.buffers() << 20,
        reads=reads,
    )


def take_reads() -> Reads:
    """What this process asked of files since it began, and what of it came from the disk.

    https://man7.org/linux/man-pages/man5/proc_pid_io.5.html
    """
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return Reads(int(told["rchar"]), int(told["read_bytes"]))


def _table(connection: duckdb.DuckDBPyConnection, name: str, block: int) -> StoredTable:
    ((rows,),) = connection.execute(f"SELECT count(*) FROM private.{name}").fetchall()
    found = connection.execute(_GROUPS.format(name=name, full=_FULL)).fetchall()
    ((groups, held, unsaved, sparse, overlapping, blocks),) = found
    return StoredTable(name, rows, groups, max(held - rows, 0), unsaved, sparse, overlapping, blocks * block)
