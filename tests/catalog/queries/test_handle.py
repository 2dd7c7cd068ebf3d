from __future__ import annotations

from pathlib import Path

import pytest

import catalog
from catalog import Catalog
from catalog.errors import CatalogUnusable, QueryFailed, QueryRefused
from catalog.queries.handle import Handle
from catalog.records import Origin
from conformance.server import running


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    opened = Catalog.open(tmp_path / "data")
    for name in ("logs", "photos"):
        await opened.create_bucket(Origin(), name, "root", "us-east-1")
    await opened.close()
    return tmp_path / "data"


def test_questions_with_and_without_a_server(folder: Path) -> None:
    handle = catalog.connect(folder)
    ask(handle)
    with running(folder, "--workers", "1"):
        ask(handle)
    ask(catalog.connect(str(folder)))


def ask(handle: Handle) -> None:
    found = handle.sql("SELECT bucket FROM buckets WHERE bucket > $least ORDER BY bucket", least="m")
    assert found.fetchall() == [("photos",)]
    assert handle.sql("FROM buckets").aggregate("count(*)").fetchall() == [(2,)]
    assert handle.arrow("SELECT bucket FROM buckets ORDER BY ALL")["bucket"].to_pylist() == ["logs", "photos"]
    assert handle.arrow("SELECT key FROM objects").num_rows == 0


def test_nothing_can_be_changed(folder: Path) -> None:
    handle = catalog.connect(folder)
    with pytest.raises(QueryRefused):
        handle.sql("DROP TABLE private.buckets")
    with pytest.raises(QueryFailed):
        handle.sql("SELECT nonsense")


def test_there_has_to_be_a_catalog(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnusable):
        catalog.connect(tmp_path).sql("SELECT 1")
