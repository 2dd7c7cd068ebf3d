from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

import catalog
from catalog import Catalog
from catalog.errors import CatalogUnusable, QueryFailed, QueryRefused
from catalog.queries.handle import Handle
from conformance.server import running

OWNERS = "SELECT user_metadata, last_modified_date, last_modified_date::TIMESTAMPTZ AS there FROM objects ORDER BY key"


@pytest.fixture
def handle(folder: Path) -> Handle:
    return catalog.connect(folder)


def test_a_relation_is_worked_on_further(handle: Handle) -> None:
    found = handle.sql("SELECT bucket FROM buckets WHERE bucket > $least ORDER BY bucket", least="m")
    assert found.fetchall() == [("photos",)]
    assert found.fetchall() == [("photos",)]
    assert handle.sql("FROM buckets").aggregate("count(*)").fetchall() == [(2,)]
    buckets = handle.sql("SELECT bucket, owner FROM buckets")
    assert len(handle.sql("SELECT bucket, key FROM objects").join(buckets, "bucket").fetchall()) == 3


def test_a_frame_has_maps_and_times(handle: Handle) -> None:
    found = handle.df(OWNERS)
    assert found["user_metadata"].tolist() == [{"owner": "wanda"}, {"owner": "otto"}, {"owner": "wanda"}]
    assert found["last_modified_date"].dt.tz is None
    assert str(found["there"].dt.tz) == "Etc/UTC"
    assert (found["there"].dt.tz_localize(None) == found["last_modified_date"]).all()
    assert handle.df("SELECT key FROM objects WHERE size > $least", least=100)["key"].tolist() == ["2.jpg"]


def test_arrow_has_them_too(handle: Handle) -> None:
    found = handle.arrow(OWNERS)
    assert found["user_metadata"].to_pylist() == [[("owner", "wanda")], [("owner", "otto")], [("owner", "wanda")]]
    assert isinstance(found["last_modified_date"][0].as_py(), datetime)


def test_nothing_has_its_columns(handle: Handle) -> None:
    nothing = "SELECT key, size, user_metadata FROM objects WHERE size < 0"
    assert handle.arrow(nothing).schema.types == [pa.string(), pa.int64(), pa.map_(pa.string(), pa.string())]
    assert handle.df(nothing).shape == (0, 3)
    assert handle.sql(nothing).columns == ["key", "size", "user_metadata"]


def test_batches_come_while_the_query_runs(handle: Handle) -> None:
    late = handle.batches("SELECT if(range = 10_000_000, error('too late'), range) AS n FROM range(10_000_001)")
    assert late.read_next_batch()["n"][0].as_py() == 0
    with pytest.raises(QueryFailed, match="too late"):
        late.read_all()


def test_a_reader_that_is_let_go_holds_nothing(handle: Handle) -> None:
    reader = handle.batches("FROM range(100_000_000)")
    reader.read_next_batch()
    del reader
    assert handle.arrow("FROM range(100_000)").num_rows == 100_000


def test_nothing_can_be_changed(handle: Handle) -> None:
    with pytest.raises(QueryRefused, match="read only"):
        handle.sql("DROP TABLE private.buckets")
    with pytest.raises(QueryRefused, match="nowhere"):
        handle.df("FROM nowhere")
    with pytest.raises(QueryFailed, match="nonsense"):
        handle.batches("SELECT nonsense")


async def test_a_server_may_come_and_go(tmp_path: Path) -> None:
    await Catalog.open(tmp_path / "data").close()
    handle = catalog.connect(str(tmp_path / "data"))
    assert handle.arrow("FROM buckets").num_rows == 0
    with running(tmp_path / "data", "--workers", "1") as server:
        server.client().create_bucket(Bucket="photos")
        assert handle.arrow("FROM buckets").num_rows == 1
    assert handle.arrow("FROM buckets").num_rows == 1


def test_there_has_to_be_a_catalog(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnusable):
        catalog.connect(tmp_path).sql("SELECT 1")
