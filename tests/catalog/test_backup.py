"""What a backup takes of the log. Backups under load and restores are in conformance/test_backup.py."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from catalog import Catalog
from catalog.backup import _Run, back_up, newest, restore
from catalog.errors import CatalogUnusable
from catalog.records import Origin, Version
from tests.catalog.compacting import into_database

ORIGIN = Origin()
SIZE = 60_000


def content(name: str) -> bytes:
    return random.Random(name).randbytes(SIZE)


async def put(path: Path, names: list[str]) -> None:
    catalog = Catalog.open(path)
    bucket = (
        catalog.bucket("bucket") if catalog.buckets(None) else await catalog.create_bucket(ORIGIN, "bucket", "", "")
    )
    for name in names:
        draft = Version(0, "", 0, "e", SIZE, "STANDARD", "root")
        await catalog.put(ORIGIN, bucket, name, draft, content(name))
    await catalog.close()


def take(path: Path, target: Path) -> None:
    catalog = Catalog.open(path)
    try:
        back_up(catalog, target)
    finally:
        catalog.release()


async def test_a_segment_that_went_while_it_was_copied_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a catalog process that was killed, and another that did not know of the backup."""
    data, backup = tmp_path / "data", tmp_path / "backup"
    await put(data, [f"{number}" for number in range(60)])
    catalog = Catalog.open(data)
    into_database(catalog)
    catalog.release()
    take(data, backup)
    whole, real = newest(backup), _Run._take_log

    def take_log(run: _Run, *arguments: object) -> None:
        real(run, *arguments)  # type: ignore[arg-type]
        min((run._making / "log").glob("*.log")).unlink()

    monkeypatch.setattr(_Run, "_take_log", take_log)
    with pytest.raises(CatalogUnusable, match="begin the backup again"):
        take(data, backup)
    assert newest(backup) == whole


async def test_a_folder_that_was_set_back_is_not_mixed_with_what_it_had_become(tmp_path: Path) -> None:
    data, backup, early = tmp_path / "data", tmp_path / "backup", tmp_path / "early"
    await put(data, ["first"])
    shutil.copytree(data, early)
    await put(data, [f"then {number}" for number in range(60)])
    take(data, backup)
    await put(early, names := [f"otherwise {number}" for number in range(70)])
    take(early, backup)
    restore(backup, tmp_path / "restored")
    catalog = Catalog.open(tmp_path / "restored")
    bucket = catalog.bucket("bucket")
    for name in names:
        body = catalog.get(bucket, name).body
        assert body is not None
        assert catalog.read(body) == content(name)
    catalog.release()
