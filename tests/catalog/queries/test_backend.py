"""Ibis itself, as a notebook has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import ibis.common.exceptions as exceptions
import pandas as pd
import pytest
from ibis import _

import catalog
from catalog.errors import QueryFailed, QueryRefused
from catalog.queries.backend import Backend


@pytest.fixture
def tables(folder: Path) -> Backend:
    return catalog.connect(folder).ibis()


@pytest.fixture
def objects(tables: Backend) -> Any:
    return tables.table("objects")


def test_the_views_are_tables(tables: Backend, objects: Any) -> None:
    assert {"objects", "versions", "journal", "usage_daily"} <= set(tables.list_tables())
    assert tables.list_tables(like="^obj") == ["objects"]
    kinds = {name: str(kind) for name, kind in objects.schema().items()}
    assert (kinds["size"], kinds["last_modified_date"], kinds["user_metadata"]) == (
        "int64",
        "timestamp(6)",
        "map<string, string>",
    )
    assert tables.tables.buckets.count().execute() == 2
    with pytest.raises(exceptions.TableNotFound):
        tables.table("private.buckets")


def test_an_expression_becomes_a_frame(objects: Any) -> None:
    owners = objects.filter(_.size > 50).group_by(owner=_.user_metadata["owner"]).agg(n=_.count(), bytes=_.size.sum())
    assert owners.order_by("owner").execute().to_dict("records") == [
        {"owner": "otto", "n": 1, "bytes": 100},
        {"owner": "wanda", "n": 1, "bytes": 200},
    ]


def test_a_column_is_a_series_and_a_scalar_a_value(objects: Any) -> None:
    assert objects.order_by("key").key.execute().tolist() == ["0.jpg", "1.jpg", "2.jpg"]
    assert objects.size.sum().execute() == 300
    least = ibis.param("int64")
    assert objects.filter(_.size >= least).count().execute(params={least: 100}) == 2


def test_a_map_is_a_dict_and_a_time_a_timestamp(objects: Any) -> None:
    (row,) = objects.filter(_.key == "1.jpg").execute().to_dict("records")
    assert row["user_metadata"] == {"owner": "otto"}
    assert isinstance(row["last_modified_date"], pd.Timestamp)
    assert objects.filter(_.last_modified_date < ibis.now() - ibis.interval(days=1)).execute().empty


def test_an_age_is_a_timedelta(tables: Backend, objects: Any) -> None:
    ages = objects.select(age=ibis.now() - objects.last_modified_date).execute()["age"]
    assert len(ages) == 3 and ages.between(pd.Timedelta(0), pd.Timedelta(1, "day")).all()
    spans = tables.sql("SELECT unnest([INTERVAL '1 month 1 day', INTERVAL '90 seconds', NULL]) AS span").execute()
    assert spans["span"].tolist() == [pd.Timedelta(31, "days"), pd.Timedelta(90, "s"), pd.NaT]


def test_arrow_comes_whole_and_in_batches(objects: Any) -> None:
    found = objects.select("key", "size").order_by("key").to_pyarrow()
    assert found.to_pydict() == {"key": ["0.jpg", "1.jpg", "2.jpg"], "size": [0, 100, 200]}
    assert sum(batch.num_rows for batch in objects.to_pyarrow_batches()) == 3


def test_macros_come_by_sql(tables: Backend) -> None:
    usage = tables.sql("FROM usage('photos', 1)")
    assert usage.select("objects", "bytes").execute().to_dict("records") == [{"objects": 3, "bytes": 300}]
    with pytest.raises(QueryFailed, match="nonsense"):
        tables.sql("SELECT nonsense")


def test_views_join_with_each_other_and_with_what_is_here(folder: Path, tables: Backend, objects: Any) -> None:
    others = catalog.connect(folder).ibis().table("buckets")
    assert objects.join(others, "bucket").count().execute() == 3
    here = ibis.memtable({"key": ["2.jpg", "it's not there"], "note": ["large", None]})
    assert objects.join(here, "key").select("key", "size", "note").execute().to_dict("records") == [
        {"key": "2.jpg", "size": 200, "note": "large"}
    ]
    assert objects.join(ibis.memtable({"key": []}, schema={"key": "string"}), "key").execute().empty


def test_nothing_can_be_changed(tables: Backend, objects: Any) -> None:
    with pytest.raises(QueryRefused):
        tables.create_table("copies", objects)
    with pytest.raises(QueryRefused):
        tables.create_view("copies", objects)
    with pytest.raises(QueryRefused):
        tables.insert("buckets", tables.table("buckets"))
    with pytest.raises(QueryRefused):
        tables.drop_table("objects")
