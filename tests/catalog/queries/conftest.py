"""A catalog with a known history, asked without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.database.connection import open_database
from catalog.database.limits import Limits
from catalog.database.local import Local
from catalog.queries import Reached
from conformance.server import running
from tests.catalog.database.history import History, MemorySource

HOUR = 3_600_000


@pytest.fixture(scope="module")
def history() -> History:
    """One mutation an hour from 2025-10-09 08:53:20 on; the comments say their sequence numbers."""
    history = History(pause=HOUR)
    photos = history.create_bucket("photos", "Enabled").id  # 1
    history.put(photos, "2025/cat.jpg", 100)  # 2
    history.put(photos, "2025/dog.jpg", 200)  # 3
    history.put(photos, "2025/cat.jpg", 300)  # 4
    history.put(photos, "2024/old/cow.png", 400)  # 5
    history.delete(photos, "2025/dog.jpg")  # 6
    history.tag(photos, "2024/old/cow.png", 5, {"keep": "yes"})  # 7
    logs = history.create_bucket("logs", owner="b" * 64).id  # 8
    history.put(logs, "today.log", 50)  # 9
    history.put(photos, "copy.jpg", 300, etag=f"{4:032x}")  # 10
    upload = history.create_upload(photos, "2025/film.mov").upload_id  # 11
    history.put_part(upload, 1, 7)  # 12
    history.put_part(upload, 2, 5)  # 13
    history.put(photos, "empty", 0)  # 14
    return history


@pytest.fixture(scope="module")
def catalog(history: History) -> Iterator[Reached]:
    with open_database(None) as connection:
        yield Local(Path(), connection, MemorySource(history), Limits())


@pytest.fixture(scope="module", params=["served", "stopped"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder that a server runs on, then one that none runs on any more."""
    data = tmp_path_factory.mktemp(request.param) / "data"
    with running(data, "--workers", "1") as server:
        client = server.client()
        for bucket in ("logs", "photos"):
            client.create_bucket(Bucket=bucket)
        for at, owner in enumerate(("wanda", "otto", "wanda")):
            client.put_object(Bucket="photos", Key=f"{at}.jpg", Body=bytes(at * 100), Metadata={"owner": owner})
        if request.param == "served":
            yield data
    if request.param == "stopped":
        yield data
