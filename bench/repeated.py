"""A kept catalog several times over, made in SQL: `python -m bench.repeated --keep FOLDER`, for `bench.catalog` to ask.

Each repetition has the history's mutations again, 300 days later, under other keys and with other contents. The records
of the versions (the column `entry`) are those of the first, and there is nothing to apply: what is asked reads neither.
"""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import duckdb

from bench.catalog import HISTORY
from bench.history import DAYS, MadeUp
from catalog.database.connection import FILE, open_database

TABLES = ("objects", "journal", "usage_settled", "usage_changes", "usage_recent")


def main() -> None:
    options = parser().parse_args()
    source, target = (Path(options.keep, str(size)) for size in (options.size, options.size * options.times))
    target.mkdir()
    repeat(source, target, options.times)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="where the catalogs of bench.catalog lie")
    parser.add_argument("--size", type=int, default=10_000_000, help="which of them")
    parser.add_argument("--times", type=int, default=5)
    return parser


def repeat(source: Path, target: Path, times: int) -> None:
    """Make a catalog in `target` of the one in `source`, whose last mutations are of the days that are its own."""
    history: MadeUp = pickle.loads((source / HISTORY).read_bytes())
    open_database(target).close()
    with duckdb.connect(str(target / FILE)) as connection:
        connection.execute(f"ATTACH '{source / FILE}' AS source (READ_ONLY)")
        connection.execute("INSERT INTO private.buckets FROM source.private.buckets")
        connection.execute("DELETE FROM private.applied; INSERT INTO private.applied FROM source.private.applied")
        for number in range(times):
            for table in TABLES:
                connection.execute(_again(connection, table, number * history.seq, times - 1 - number))
        made = MadeUp(history.count * times, seq=history.seq * times, put=history.count * times)
        reached = made.position()
        connection.execute(
            "UPDATE private.applied SET segment = ?, log_offset = ?, seq = ?, chain = ?",
            [reached.segment, reached.offset, reached.seq, reached.chain],
        )
        connection.execute("CHECKPOINT")
    (target / HISTORY).write_bytes(pickle.dumps(made))


def _again(connection: duckdb.DuckDBPyConnection, table: str, behind: int, earlier: int) -> str:
    """Rows whose numbers are `behind` greater, so many histories earlier than they were."""
    days = earlier * DAYS
    day = "'tree/' || (substr({0}, 6, 10)::DATE - {1})::VARCHAR || substr({0}, 16)"
    change = {name: f"{name} + {behind}" for name in ("seq", "version_seq", "ended", "previous")}
    change |= {name: f"{name} - INTERVAL {days} DAY" for name in ("last_modified", "last_modified_date")}
    change |= {"record_timestamp": f"record_timestamp - INTERVAL {days} DAY", "day": f"day - {days}"}
    change |= {name: f"if(length({name}) < 15, {name}, {day.format(name, days)})" for name in ("key", "prefix")}
    if earlier:
        change |= {"e_tag": f"md5(e_tag || {earlier})", "checksum_value": f"'{earlier}' || checksum_value"}
    names = [name for name, *_ in connection.execute(f"DESCRIBE private.{table}").fetchall()]
    columns = ", ".join(f"{change.get(name, name)} AS {name}" for name in names)
    return f"INSERT INTO private.{table} SELECT {columns} FROM source.private.{table}"


if __name__ == "__main__":
    main()
