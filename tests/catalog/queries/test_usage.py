from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import InvalidFilter
from catalog.queries import Reached, Usage, get_disk_usage, get_storage_usage
from tests.catalog.database.history import History

OLDEST = "365 days and more"
Numbers = dict[str | None, tuple[int, ...]]
LOGS = (1, 50, 0, 0, 0, 0, 0)


def found(catalog: Reached, **asked: Any) -> Numbers:
    """objects, bytes, noncurrent versions, their bytes, delete markers, uploads, their bytes."""
    usage = get_storage_usage(catalog, **asked)
    for at, field in enumerate(("objects", "bytes", "noncurrent_versions", "noncurrent_bytes", "delete_markers")):
        assert getattr(usage.total, field) == sum(numbers(group)[at] for group in usage.groups)
    return {group.name: numbers(group) for group in usage.groups}


def numbers(group: Usage) -> tuple[int, ...]:
    return (
        group.objects,
        group.bytes,
        group.noncurrent_versions,
        group.noncurrent_bytes,
        group.delete_markers,
        group.uploads,
        group.upload_bytes,
    )


def test_by_bucket(catalog: Reached) -> None:
    assert found(catalog) == {"photos": (4, 1000, 2, 300, 1, 1, 12), "logs": LOGS}
    assert found(catalog, bucket="logs") == {"logs": LOGS}


def test_by_prefix(catalog: Reached) -> None:
    old, new, top = (1, 400, 0, 0, 0, 0, 0), (1, 300, 2, 300, 1, 1, 12), (2, 300, 0, 0, 0, 0, 0)
    assert found(catalog, by="prefix", bucket="photos") == {"2025/": new, "2024/": old, "": top}
    assert found(catalog, by="prefix", bucket="photos", depth=2) == {"2025/": new, "2024/old/": old, "": top}
    assert found(catalog, by="prefix", bucket="photos", depth=7) == {"2025/": new, "2024/old/": old, "": top}
    assert found(catalog, by="prefix", bucket="photos", depth=0) == {"": (4, 1000, 2, 300, 1, 1, 12)}


def test_by_what_is_said_of_a_version(catalog: Reached) -> None:
    everything = (5, 1050, 2, 300)
    assert found(catalog, by="tag", tag="keep") == {"yes": (1, 400, 0, 0, 0, 0, 0), None: (4, 650, 2, 300, 1, 1, 12)}
    assert found(catalog, by="storage_class") == {"STANDARD": (*everything, 0, 1, 12), None: (0, 0, 0, 0, 1, 0, 0)}
    assert found(catalog, by="owner") == {"o": (*everything, 1, 0, 0), "a" * 64: (0, 0, 0, 0, 0, 1, 12)}
    types = found(catalog, by="content_type", bucket="photos")
    assert types["binary/octet-stream"] == (4, 1000, 2, 300, 0, 1, 12)


def test_by_age(catalog: Reached, history: History) -> None:
    expected: dict[str, int] = {}
    for _, _, version, _ in history.all_versions():
        days = (time.time() * 1000 - version.modified) / 86_400_000
        name = next((f"under {most} day{'s' * (most > 1)}" for most in (1, 7, 30, 90, 365) if days < most), OLDEST)
        expected[name] = expected.get(name, 0) + 1
    ages = found(catalog, by="age")
    assert {name: numbers[0] + numbers[2] + numbers[4] for name, numbers in ages.items()} == expected


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("by", {"by": "colour"}),
        ("bucket", {"by": "prefix"}),
        ("bucket", {"bucket": "nowhere"}),
        ("tag", {"by": "tag"}),
        ("tag", {"by": "owner", "tag": "t"}),
        ("depth", {"by": "prefix", "bucket": "photos", "depth": -1}),
        ("depth", {"by": "owner", "depth": 1}),
        ("bucket", {"bucket": "\udcff"}),
    ],
)
def test_what_means_nothing_is_refused_by_its_name(catalog: Reached, field: str, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidFilter) as refused:
        get_storage_usage(catalog, **asked)
    assert refused.value.field == field


def test_what_the_disk_holds_is_what_du_counts(tmp_path: Path) -> None:
    for name, size in (("blobs/ab/cdef", 70_000), ("log/1", 5000), ("catalog.duckdb.wal", 1), ("root.key", 20)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes([1]) * size)
    with (tmp_path / "log" / "2").open("wb") as sparse:
        sparse.truncate(10_000_000)

    def du(*folders: str) -> int:
        told = subprocess.run(
            ["du", "--summarize", "--block-size=1", *folders], cwd=tmp_path, capture_output=True, check=True
        )
        return int(told.stdout.split()[0])

    usage = get_disk_usage(tmp_path)
    assert usage.total == du(".")
    assert (usage.blobs, usage.log, usage.database) == (du("blobs"), du("log"), du("catalog.duckdb.wal"))
    assert usage.blobs + usage.log + usage.database + usage.index + usage.other == usage.total
