from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from catalog.database.client import fetch
from catalog.database.frames import Columns, End, Rows, Sql
from catalog.database.registry import VIEWS
from catalog.errors import InvalidFilter, QueryStopped
from catalog.queries import Reached, export
from catalog.queries.exporting import PARTLY, held_back
from catalog.queries.exporting import VIEWS as EXPORTED


def test_every_view_is_written_as_it_is(catalog: Reached, tmp_path: Path) -> None:
    rows = export(catalog, tmp_path / "out")
    assert set(rows) == set(VIEWS) == set(EXPORTED)
    for view in VIEWS:
        answer = fetch(catalog, Sql(f"FROM {view} WHERE {PARTLY.get(view, 'true')}"))
        assert rows[view] == len(answer.rows)
        files = f"read_parquet('{tmp_path}/out/{view}/**/*.parquet', hive_partitioning = true)"
        if rows[view]:
            columns = ", ".join(answer.columns)
            ours = sorted(map(repr, answer.rows))
            assert sorted(map(repr, duckdb.sql(f"SELECT {columns} FROM {files}").fetchall())) == ours


def test_files_lie_by_bucket_and_are_packed(catalog: Reached, tmp_path: Path) -> None:
    export(catalog, tmp_path / "out")
    folders = sorted(path.name for path in (tmp_path / "out" / "objects").iterdir())
    assert folders == ["bucket=logs", "bucket=photos"]
    (file,) = (tmp_path / "out" / "objects" / "bucket=photos").iterdir()
    columns = [parquet.ParquetFile(file).metadata.row_group(0).column(at) for at in range(20)]
    assert {column.compression for column in columns} == {"ZSTD"}
    by_dictionary = {column.path_in_schema for column in columns if column.has_dictionary_page}
    assert {"storage_class", "content_type", "object_tags.key_value.key"} <= by_dictionary
    assert not by_dictionary & {"key", "version_id", "e_tag", "seq"}


def test_one_bucket_alone(catalog: Reached, tmp_path: Path) -> None:
    rows = export(catalog, tmp_path / "out", "logs")
    assert (rows["buckets"], rows["objects"], rows["journal"], rows["uploads"]) == (1, 1, 2, 0)
    assert [path.name for path in (tmp_path / "out" / "versions").iterdir()] == ["bucket=logs"]


def test_what_is_there_is_never_written_over(catalog: Reached, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for target, bucket in ((tmp_path / "out", None), (tmp_path / "a" / "b", None), (tmp_path / "new", "nowhere")):
        with pytest.raises(InvalidFilter):
            export(catalog, target, bucket)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_export_that_fails_leaves_nothing(catalog: Reached, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = catalog.sql

    def until_the_journal(asked: Sql) -> Iterator[Columns | Rows | End]:
        for number, answer in enumerate(ask(asked)):
            if "journal" in asked.statement and number == 2:
                raise QueryStopped("time is up")
            yield answer

    monkeypatch.setattr(catalog, "sql", until_the_journal)
    with pytest.raises(QueryStopped):
        export(catalog, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def megabytes(count: int) -> Iterator[pa.RecordBatch]:
    for number in range(count):
        yield pa.record_batch({"n": pa.array(range(number, number + (1 << 17)), pa.int64())})


def test_rows_are_held_back_while_many_are_on_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.queries.exporting._ON_ITS_WAY", 3 << 19)
    monkeypatch.setattr("catalog.queries.exporting._PATIENCE", 60.0)
    batches = held_back(megabytes(5))
    on_their_way = [next(batches), next(batches)]
    others: list[int] = []

    def take() -> None:
        others.extend(len(on_their_way) for _ in batches)

    taking = threading.Thread(target=take)
    taking.start()
    time.sleep(0.1)
    on_their_way.clear()
    taking.join()
    assert others == [0, 0, 0]


def test_a_writer_that_waits_for_more_rows_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.queries.exporting._ON_ITS_WAY", 3 << 19)
    monkeypatch.setattr("catalog.queries.exporting._PATIENCE", 0.01)
    assert [batch["n"][0].as_py() for batch in list(held_back(megabytes(10)))] == list(range(10))
