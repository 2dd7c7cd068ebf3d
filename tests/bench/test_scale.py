from __future__ import annotations

from pathlib import Path

from bench.batches import body_of
from bench.generated import Archive
from bench.scale import fill
from catalog import Catalog
from catalog.database.connection import open_database


def test_fills_a_catalog_with_what_the_load_expects(tmp_path: Path) -> None:
    tree = fill(tmp_path / "data", Archive(2100, 100))
    catalog = Catalog.open(tmp_path / "data")
    bucket = catalog.bucket("bench")
    assert catalog.list_objects(bucket, limit=3000).keys == tree.keys()
    version = catalog.get(bucket, tree.key(2050))
    assert version.body is not None
    assert catalog.read(version.body) == body_of(tree.key(2050), 50, 100)
    catalog.release()
    with open_database(tmp_path / "data") as database:
        assert database.sql("SELECT count(*), count(DISTINCT key), sum(size) FROM objects").fetchall() == [
            (2100, 2100, 210_000)
        ]
