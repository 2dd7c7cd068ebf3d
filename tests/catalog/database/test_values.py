from __future__ import annotations

import duckdb
import pyarrow as pa

from catalog.database.formats import separate_streams
from catalog.database.frames import Rows
from catalog.database.values import values

MAPS = "MAP {'a': '1', 'b': NULL}, NULL, MAP {}::MAP(VARCHAR, VARCHAR), MAP {'é': '2'}"


def read(batches: list[pa.RecordBatch]) -> list[object]:
    with duckdb.connect() as connection:
        pieces = list(separate_streams(batches[0].schema, batches, connection))
    return [value for piece in pieces for (value,) in values(Rows(piece), ["MAP(VARCHAR, VARCHAR)"])]


def test_maps_become_dicts_whichever_rows_of_a_batch_are_sent() -> None:
    with duckdb.connect() as connection:
        batch = connection.sql(f"SELECT unnest([{MAPS}]) AS tags").to_arrow_table().to_batches()[0]
    wanted = [{"a": "1", "b": None}, None, {}, {"é": "2"}]
    assert read([batch]) == wanted
    assert read([batch.slice(1), batch.slice(3), batch.slice(0, 2)]) == wanted[1:] + wanted[3:] + wanted[:2]
    assert read([batch.slice(2, 0)]) == []
