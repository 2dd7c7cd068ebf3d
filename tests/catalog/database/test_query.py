from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from catalog.database import client
from catalog.database.connection import open_database
from catalog.database.formats import ENCODERS, distinct
from catalog.database.frames import Columns, End, Rows, Sql
from catalog.database.limits import Limits, dump, undump
from catalog.database.query import Query
from catalog.errors import QueryFailed, QueryRefused, QueryStopped

EVERYTHING = (
    "SELECT 1 AS n, 1.5::DOUBLE AS f, 'a\"b,ä\n' AS t, NULL AS z, true AS b, MAP {'k': 'v'} AS m, [1, 2] AS l,"
    " TIMESTAMP '2026-01-02 03:04:05.678' AS at, '\\xAA'::BLOB AS raw, 2::HUGEINT AS h, 1.50::DECIMAL(5, 2) AS d,"
    " '' AS e"
)


def run(database: duckdb.DuckDBPyConnection, statement: str, form: str, limits: Limits | None = None) -> bytes:
    answers = list(Query(database, statement, None, form, limits).run())
    assert isinstance(answers[0], Columns) and isinstance(answers[-1], End)
    return b"".join(answer.data for answer in answers if isinstance(answer, Rows))


def test_a_row_as_json(database: duckdb.DuckDBPyConnection) -> None:
    expected = {
        "n": 1,
        "f": 1.5,
        "t": 'a"b,ä\n',
        "z": None,
        "b": True,
        "m": {"k": "v"},
        "l": [1, 2],
        "at": "2026-01-02 03:04:05.678",
        "raw": "\\xAA",
        "h": 2,
        "d": 1.5,
        "e": "",
    }
    assert json.loads(run(database, EVERYTHING, "jsonl")) == expected
    assert json.loads(run(database, EVERYTHING, "json")) == [expected]


def test_a_row_as_csv(database: duckdb.DuckDBPyConnection) -> None:
    assert run(database, EVERYTHING, "csv").decode() == (
        '"n","f","t","z","b","m","l","at","raw","h","d","e"\n'
        '1,1.5,"a""b,ä\n",,"true","{k=v}","[1, 2]","2026-01-02 03:04:05.678","\\xAA","2","1.50",""\n'
    )


@pytest.mark.parametrize("count", [0, 1, 50_000])
def test_many_rows_in_every_form(database: duckdb.DuckDBPyConnection, count: int) -> None:
    statement = f"SELECT range AS n, 'x' || range AS t FROM range({count}) ORDER BY n DESC"
    expected = [(n, f"x{n}") for n in reversed(range(count))]
    assert [(row["n"], row["t"]) for row in json.loads(run(database, statement, "json"))] == expected
    assert run(database, statement, "jsonl").count(b"\n") == count
    assert run(database, statement, "csv").count(b"\n") == count + 1
    table = pa.ipc.open_stream(run(database, statement, "arrow")).read_all()
    assert list(zip(*(column.to_pylist() for column in table.columns), strict=True)) == expected


@pytest.mark.parametrize("form", ENCODERS)
def test_columns_of_one_name(database: duckdb.DuckDBPyConnection, form: str) -> None:
    assert run(database, "SELECT 1 AS a, 2 AS A, 3 AS a_1", form)
    assert json.loads(run(database, "SELECT 1 AS a, 2 AS A, 3 AS a_1", "jsonl")) == {"a": 1, "A_1": 2, "a_1_1": 3}
    assert distinct(["a", "b", "a", "a"]) == ["a", "b", "a_1", "a_2"]


def test_an_explanation_in_text(database: duckdb.DuckDBPyConnection) -> None:
    assert b"physical_plan" in run(database, "EXPLAIN SELECT 1", "jsonl")


def test_an_unknown_form_is_refused(database: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryRefused, match="xml"):
        run(database, "SELECT 1", "xml")


def test_a_result_may_have_so_many_rows(database: duckdb.DuckDBPyConnection) -> None:
    assert run(database, "FROM range(20000)", "csv", Limits(rows=20_000)).count(b"\n") == 20_001
    with pytest.raises(QueryStopped, match="more than 20000 rows"):
        run(database, "FROM range(20001)", "csv", Limits(rows=20_000))


def test_a_query_that_needs_more_memory_than_there_is_fails_alone(tmp_path: Path) -> None:
    with open_database(tmp_path, Limits(memory=256)) as database:
        with pytest.raises(QueryFailed, match="Out of Memory"):
            run(database, "SELECT len(list(range)) FROM range(100000000)", "csv", Limits(memory=256))
        assert run(database, "SELECT 1", "csv")


def test_what_one_query_groups_beyond_its_share_goes_to_the_disk(tmp_path: Path) -> None:
    limits = Limits(memory=256)
    with open_database(tmp_path, limits) as database:
        statement = "SELECT count(*) AS n FROM (SELECT md5((range // 2)::VARCHAR) AS m FROM range(8000000) GROUP BY m)"
        assert run(database, statement, "csv", limits) == b'"n"\n4000000\n'


def test_threads_are_as_many_as_said() -> None:
    with open_database(None, Limits(threads=3)) as database:
        assert database.execute("SELECT current_setting('threads')").fetchall() == [(3,)]


def test_limits_go_from_process_to_process() -> None:
    limits = Limits(1.5, 2, 3, 4)
    assert undump(dump(limits)) == limits


class Here:
    """A catalog that is asked without a socket."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database

    def sql(self, asked: Sql) -> Iterator[Columns | Rows | End]:
        yield from Query(self._database, asked.statement, asked.owner, asked.form).run()

    def status(self) -> Any: ...

    def sync(self) -> Any: ...


@pytest.mark.parametrize("count", [0, 3, 40_000])
def test_parquet_has_all_rows(database: duckdb.DuckDBPyConnection, count: int) -> None:
    target = io.BytesIO()
    statement = f"SELECT range AS n, MAP {{'k': 'v'}} AS m FROM range({count})"
    assert client.write(Here(database), Sql(statement, form="parquet"), target) == count
    table = parquet.read_table(io.BytesIO(target.getvalue()))
    assert table["n"].to_pylist() == list(range(count))
    assert table.schema.field("m").type == pa.map_(pa.string(), pa.string())


def test_parameters_are_values_never_text(database: duckdb.DuckDBPyConnection) -> None:
    given = {"t": "x' OR true --", "n": 2, "nothing": None}
    answers = Query(database, "SELECT $t AS t, $n + 1 AS n, $nothing::VARCHAR AS z", None, "jsonl", None, given).run()
    assert b"".join(answer.data for answer in answers if isinstance(answer, Rows)) == (
        b'{"t":"x\' OR true --","n":3,"z":null}\n'
    )
    for statement, given in (("SELECT $t", {}), ("SELECT 1", {"t": 1})):
        with pytest.raises(QueryFailed, match="t"):
            list(Query(database, statement, parameters=given).run())
