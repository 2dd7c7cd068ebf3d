from __future__ import annotations

from pathlib import Path

import pytest

from catalog import Catalog
from catalog.errors import CatalogUnusable
from catalog.records import Origin, Version
from gateway.notifications import backlog

DRAFT = Version(0, "", 0, "e" * 32, 5, "STANDARD", "owner")


async def filled(path: Path, count: int) -> Catalog:
    catalog = Catalog.open(path)
    bucket = await catalog.create_bucket(Origin(), "bucket", "owner", "us-east-1")
    for number in range(count):
        await catalog.put(Origin(), bucket, f"key {number}", DRAFT, b"hello")
    return catalog


async def test_page_after_page_up_to_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "PAGE", 3)
    catalog = await filled(tmp_path, 10)
    found = [page async for page in backlog.pages(catalog, tmp_path, 2, 10)]
    assert [until for until, _ in found] == [5, 8, 10]
    assert [event.seq for _, events in found for _, event in events] == list(range(3, 11))
    assert {bucket for _, events in found for bucket, _ in events} == {"bucket"}
    assert [page async for page in backlog.pages(catalog, tmp_path, 10, 10)] == []
    await catalog.close()


async def test_a_database_that_cannot_be_asked_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog, asked = await filled(tmp_path, 2), backlog.Database.ask
    tries: list[int] = []

    def ask(self: backlog.Database, *given: object) -> object:
        tries.append(1)
        if len(tries) == 1:
            raise CatalogUnusable("it starts just now")
        return asked(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(backlog.Database, "ask", ask)
    monkeypatch.setattr(backlog, "RETRY", 0.0)
    assert [until async for until, _ in backlog.pages(catalog, tmp_path, 0, 3)] == [3]
    assert len(tries) == 2
    await catalog.close()
