from __future__ import annotations

import duckdb
import pyarrow as pa

from catalog.database.formats import separate_streams
from catalog.database.frames import Rows
from catalog.database.values import values

MAPS = "MAP {'a': '1', 'b': NULL}, NULL, MAP {}::MAP(VARCHAR, VARCHAR), MAP {'é': '2'}"


def read(batches: list[pa.RecordBatch], kind: str = "MAP(VARCHAR, VARCHAR)") -> list[object]:
    with duckdb.connect() as connection:
        pieces = list(separate_streams(batches[0].schema, batches, connection))
    return [value for piece in pieces for (value,) in values(Rows(piece), [kind])]


def test_maps_become_dicts_whichever_rows_of_a_batch_are_sent() -> None:
    with duckdb.connect() as connection:
        batch = connection.sql(f"SELECT unnest([{MAPS}]) AS tags").to_arrow_table().to_batches()[0]
    wanted = [{"a": "1", "b": None}, None, {}, {"é": "2"}]
    assert read([batch]) == wanted
    assert read([batch.slice(1), batch.slice(3), batch.slice(0, 2)]) == wanted[1:] + wanted[3:] + wanted[:2]
    assert read([batch.slice(2, 0)]) == []


def test_intervals_are_text_however_long() -> None:
    given = ["1 hour", "3 days 90 seconds", "14 months", "2000000000 days", "0 days"]
    with duckdb.connect() as connection:
        found = connection.sql("SELECT unnest($1::INTERVAL[]) UNION ALL SELECT NULL", params=[given]).to_arrow_table()
    assert read(found.to_batches(), "INTERVAL") == [
        "1:00:00",
        "3 days 0:01:30",
        "14 months 0:00:00",
        "2000000000 days 0:00:00",
        "0:00:00",
        None,
    ]
