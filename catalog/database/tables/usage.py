"""How much lies under each prefix, kept up with every batch, and how much of that each day changed.

Counting ten million keys by prefix takes seconds; adding up what a batch changed takes a fraction of a microsecond a
row. Prefixes are kept to `LEVELS` slashes: what lies deeper counts for the folder there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb
import pyarrow as pa

from catalog.database.columns import SHORT, TEXT, TRUTH, WHOLE, schema

LEVELS = 4
SETTLE_AFTER = 20_000  # rows of usage_recent; more where much is settled, which is read through
SETTLE_BY = 400_000  # merged in 1.3 s with ten million settled: queries wait for it

OF_DAY = schema(
    bucket_id=WHOLE,
    depth=SHORT,
    prefix=TEXT,
    below=TRUTH,
    objects=WHOLE,
    bytes=WHOLE,
    noncurrent_versions=WHOLE,
    noncurrent_bytes=WHOLE,
    delete_markers=WHOLE,
)

_COUNTS = ("objects", "bytes", "noncurrent_versions", "noncurrent_bytes", "delete_markers")
_COUNTED = ", ".join(_COUNTS)
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in _COUNTS)
_CHANGED = " OR ".join(f"sum({name}) <> 0" for name in _COUNTS)
_PLACE = "bucket_id, depth, prefix, below"
_CHANGES_OF_DAYS = "FROM private.usage_changes UNION ALL FROM private.usage_recent"
_CHANGES = {
    "added": "SELECT bucket_id, key, is_latest, is_delete_marker, size, 1 AS sign FROM added",
    "touched": "SELECT bucket_id, key, is_latest, is_delete_marker, size, -1 AS sign FROM touched"
    " UNION ALL SELECT bucket_id, key, becomes_latest, is_delete_marker, size, 1 FROM touched"
    " WHERE becomes_latest IS NOT NULL",
}


def record(connection: duckdb.DuckDBPyConnection, day: date, added: pa.Table, touched: pa.Table) -> None:
    """Count versions that come (as rows of `objects`), and those `touched` as they were and as they will be.

    The latter as `objects.find` has them.
    """
    given = {name: table for name, table in (("added", added), ("touched", touched)) if table.num_rows}
    if not given:
        return
    changes = " UNION ALL ".join(_CHANGES[name] for name in given)
    for name, table in given.items():
        connection.register(name, table)
    try:
        connection.execute(_RECORD.format(changes=changes), [day])
    finally:
        for name in given:
            connection.unregister(name)


def settle(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the recent changes to those of their days and to the settled numbers, once they are many."""
    ((recent, settled),) = connection.execute(
        "SELECT (SELECT count(*) FROM private.usage_recent), (SELECT count(*) FROM private.usage_settled)"
    ).fetchall()
    if recent > min(max(SETTLE_AFTER, settled // 4), SETTLE_BY):
        for statement in _SETTLE:
            connection.execute(statement)


def days_before(connection: duckdb.DuckDBPyConnection, today: date) -> list[date]:
    """The days before it that changed anything, in order."""
    found = connection.execute(f"SELECT DISTINCT day FROM ({_CHANGES_OF_DAYS}) WHERE day < ? ORDER BY day", [today])
    return [day for (day,) in found.fetchall()]


def of_day(connection: duckdb.DuckDBPyConnection, day: date) -> pa.Table:
    """What a day changed: see OF_DAY."""
    statement = f"SELECT {_PLACE}, {_SUMS} FROM ({_CHANGES_OF_DAYS}) WHERE day = ? GROUP BY ALL HAVING {_CHANGED}"
    return connection.sql(f"{statement} ORDER BY ALL", params=[day]).to_arrow_table().cast(OF_DAY)


def restore(connection: duckdb.DuckDBPyConnection, days: Iterable[tuple[date, pa.Table]]) -> None:
    """Let these be what those days changed. `recount` is to follow."""
    for day, changes in days:
        for table in ("usage_changes", "usage_recent"):
            connection.execute(f"DELETE FROM private.{table} WHERE day = ?", [day])
        connection.register("changes", changes)
        try:
            connection.execute(f"INSERT INTO private.usage_changes SELECT ?, {_PLACE}, {_COUNTED} FROM changes", [day])
        finally:
            connection.unregister("changes")


def recount(connection: duckdb.DuckDBPyConnection, day: date) -> None:
    """Make the numbers those of the versions there are; by what the days before do not come to that, this one did."""
    every = "SELECT bucket_id, key, is_latest, is_delete_marker, size, 1 AS sign FROM private.objects"
    connection.execute("INSERT INTO private.usage_changes FROM private.usage_recent")
    connection.execute("DELETE FROM private.usage_recent")
    connection.execute("DELETE FROM private.usage_settled")
    connection.execute(_RECORD.format(changes=every), [day])
    connection.execute(
        f"INSERT INTO private.usage_changes SELECT ?, {_PLACE}, {_SUMS} FROM ("
        f" SELECT {_PLACE}, {', '.join(_COUNTS)} FROM private.usage_recent UNION ALL"
        f" SELECT {_PLACE}, {', '.join(f'-{name}' for name in _COUNTS)} FROM private.usage_changes"
        f") GROUP BY {_PLACE} HAVING {_CHANGED}",
        [day],
    )
    connection.execute(
        f"INSERT INTO private.usage_settled SELECT * EXCLUDE (day) FROM private.usage_recent ORDER BY {_PLACE}"
    )
    connection.execute("DELETE FROM private.usage_recent")


def _first_levels(text: str, count: int) -> str:
    return f"regexp_extract({text}, '^(?:[^/]*/){{{{0,{count}}}}}')" if count else "''"


_RECORD = f"""
INSERT INTO private.usage_recent
WITH change AS ({{changes}}),
folder AS (
    SELECT
        bucket_id,
        {_first_levels("key", LEVELS)} AS name,
        length(name) - length(replace(name, '/', '')) AS levels,
        sum(sign) FILTER (is_latest AND NOT is_delete_marker) AS objects,
        sum(sign * size) FILTER (is_latest AND NOT is_delete_marker) AS bytes,
        sum(sign) FILTER (NOT is_latest AND NOT is_delete_marker) AS noncurrent_versions,
        sum(sign * size) FILTER (NOT is_latest AND NOT is_delete_marker) AS noncurrent_bytes,
        sum(sign) FILTER (is_delete_marker) AS delete_markers
    FROM change
    GROUP BY ALL
)
SELECT
    ?,
    bucket_id,
    depth,
    prefix,
    depth < levels AS below,
    {", ".join(f"coalesce(sum({name}), 0)" for name in _COUNTS)}
FROM (
    SELECT
        *,
        unnest({list(range(LEVELS + 1))}) AS depth,
        unnest([{", ".join(_first_levels("name", level) for level in range(LEVELS + 1))}]) AS prefix
    FROM folder
)
WHERE depth <= levels
GROUP BY bucket_id, depth, prefix, below
"""

# Each row is read before it is removed, and what the two tables have of it is one row again.
_SETTLE = (
    f"CREATE TEMP TABLE settling AS SELECT {_PLACE}, {_SUMS} FROM ("
    f" SELECT {_PLACE}, {', '.join(_COUNTS)} FROM private.usage_recent UNION ALL"
    f" SELECT {_PLACE}, {', '.join(_COUNTS)} FROM private.usage_settled"
    f" SEMI JOIN private.usage_recent USING ({_PLACE})"
    f") GROUP BY {_PLACE}",
    f"CREATE TEMP TABLE changing AS SELECT day, {_PLACE}, {_SUMS} FROM ("
    f" FROM private.usage_recent UNION ALL"
    f" FROM private.usage_changes WHERE day IN (SELECT day FROM private.usage_recent)"
    f") GROUP BY day, {_PLACE} HAVING {_CHANGED}",
    f"DELETE FROM private.usage_settled WHERE ({_PLACE}) IN (SELECT ({_PLACE}) FROM settling)",
    f"INSERT INTO private.usage_settled FROM settling WHERE {' OR '.join(f'{name} <> 0' for name in _COUNTS)}"
    " ORDER BY bucket_id, depth, prefix",
    "DELETE FROM private.usage_changes WHERE day IN (SELECT day FROM private.usage_recent)",
    "INSERT INTO private.usage_changes FROM changing ORDER BY day, bucket_id, depth, prefix",
    "DELETE FROM private.usage_recent",
    "DROP TABLE settling",
    "DROP TABLE changing",
)
