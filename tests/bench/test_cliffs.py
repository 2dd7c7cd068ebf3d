from __future__ import annotations

import shlex
from argparse import Namespace
from pathlib import Path

from bench import servers
from bench.batches import Tree
from bench.cliffs import FOLDERS_ROW, ROWS, SIZE, Wide, filled, wide
from bench.run import COMMAND
from catalog import Catalog


def test_every_row_is_answered_by_both_buckets(tmp_path: Path) -> None:
    options = Namespace(keys=60, versions=3, folders=1500)
    tree, data = Tree(60, SIZE, page=40), tmp_path / "data"
    with servers.ducket(data, 1, servers.cores()[0], shlex.split(COMMAND)) as endpoint:
        even, steep = filled(endpoint, data, options)
        few, many = wide(endpoint, data, options)
        catalog = Catalog.open(data)
        counts = [len(catalog.list_versions(catalog.bucket(name), prefix="tree/").items) for name in ("even", "steep")]
        catalog.release()
        for target in (even, steep):
            target.tree = tree
        measured = [target.measure(row, 0.1) for row in ROWS for target in (even, steep)]
        measured += [target.measure(FOLDERS_ROW, 0.1) for target in (few, many)]
    assert all(each.done and not each.errors for each in measured)
    assert counts == [60, 60 + 60 * 3]
    assert Wide(7).keys()[-1] == "tree/000006/00"
