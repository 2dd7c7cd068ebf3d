from __future__ import annotations

from pathlib import Path

from bench.batches import Tree, body_of
from bench.scale import fill
from catalog import Catalog
from catalog.records import Origin


async def test_fills_a_catalog_with_what_the_load_expects(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(Origin(), "bench", "owner", "us-east-1")
    tree = Tree(2100, 100)
    await fill(catalog, bucket, tree)
    assert catalog.list_objects(bucket, limit=3000).keys == tree.keys()
    version = catalog.get(bucket, tree.key(2050))
    assert version.body is not None
    assert catalog.read(version.body) == body_of(tree.key(2050), 50, 100)
    await catalog.close()
