"""Deliveries into a real catalog, and what comes of one that was killed."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from catalog import Catalog
from catalog.records import Bucket, Origin
from catalog.requests import FOLDER, LOGGED, Incoming
from gateway.access.acl import LOG_SERVICE_ID, LOGGING_ID, OWNERSHIP, Grant
from gateway.access.policy import PRINCIPALS, SETTING
from gateway.access_logs import delivery
from gateway.access_logs.configuration import EVENT_TIME, Configuration
from gateway.access_logs.delivery import KEPT_SECONDS, Delivery, author_of
from gateway.access_logs.line import Entry, encode_entries, line_of
from gateway.blobs import Blobs
from gateway.operations.configurations import changed
from tests.gateway.access_logs.test_line import LOG, entry

DAY = 86_400.0


@pytest.fixture
async def target(catalog: Catalog) -> Bucket:
    await catalog.create_bucket(Origin(), "logs", LOG.owner, "us-east-1")
    return await allow(catalog)


async def allow(catalog: Catalog, effect: str = "Allow") -> Bucket:
    statement = {
        "Effect": effect,
        "Principal": {"Service": LOGGING_ID},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    given = {SETTING: policy, PRINCIPALS: json.dumps({f"Service:{LOGGING_ID}": LOGGING_ID})}
    await catalog.update_bucket(Origin(), "logs", lambda found: changed(found, given))
    return catalog.bucket("logs")


def note(data: Path, *entries: Entry) -> None:
    incoming = Incoming(data, LOGGED)
    incoming.append(encode_entries(list(entries)))
    incoming.close()


def left(data: Path) -> list[str]:
    return sorted(path.name for path in (data / FOLDER / LOGGED).iterdir())


@pytest.fixture
async def deliver(catalog: Catalog, tmp_path: Path) -> Any:
    blobs = Blobs(tmp_path)

    async def deliver() -> int:
        return await Delivery(catalog, blobs, tmp_path).run()

    yield deliver
    blobs.close()


def delivered(catalog: Catalog) -> dict[str, str]:
    found = {}
    for key in catalog.list_objects(catalog.bucket("logs")).keys:
        version = catalog.get(catalog.bucket("logs"), key)
        assert version.body is not None
        found[key] = catalog.read(version.body).decode()
    return found


async def test_what_several_workers_noted_is_one_object(
    catalog: Catalog, tmp_path: Path, target: Bucket, deliver: Any
) -> None:
    first, second = entry(key="first"), entry(key="second")
    note(tmp_path, first)
    note(tmp_path, second)
    assert await deliver() == 1
    (text,) = delivered(catalog).values()
    assert text == f"{line_of(first)}\n{line_of(second)}\n"
    assert left(tmp_path) == []
    assert await deliver() == 0


async def test_each_log_and_with_folders_of_events_each_day_has_its_own(
    catalog: Catalog, tmp_path: Path, target: Bucket, deliver: Any
) -> None:
    by_day = LOG._replace(configuration=Configuration("logs", "p/", EVENT_TIME).dump())
    other = LOG._replace(bucket="other")
    note(tmp_path, entry(), entry(log=other), entry(log=by_day), entry(log=by_day, time=entry().time + DAY))
    assert await deliver() == 4
    keys = sorted(key for key in delivered(catalog) if key.startswith("p/"))
    assert [key.rpartition("-")[0] for key in keys] == [
        f"p/{LOG.owner}/us-east-1/source/2019/02/{day}/2019-02-{day}-00-00-00" for day in ("06", "07")
    ]


async def test_a_delivery_that_was_killed_is_done_again_and_no_line_is_twice(
    catalog: Catalog, tmp_path: Path, target: Bucket, deliver: Any
) -> None:
    note(tmp_path, entry())
    folder = tmp_path / FOLDER / LOGGED
    Delivery(catalog, Blobs(tmp_path), tmp_path)._gather()
    shutil.copytree(folder, tmp_path / "before")
    assert await deliver() == 1
    before = delivered(catalog)
    shutil.rmtree(folder)
    (tmp_path / "before").rename(folder)  # killed between the object and the end of its file
    assert await deliver() == 1
    assert delivered(catalog) == before


async def test_sorting_that_was_killed_is_done_again(
    catalog: Catalog, tmp_path: Path, target: Bucket, deliver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(tmp_path, entry())
    with monkeypatch.context() as killed:
        killed.setattr(delivery, "line_of", lambda entry: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            await deliver()
    assert delivered(catalog) == {}
    note(tmp_path, entry(key="later"))
    assert await deliver() == 2
    assert "".join(delivered(catalog).values()).count("\n") == 2
    assert left(tmp_path) == []


async def test_taking_away_what_was_sorted_that_was_killed_loses_no_line(
    catalog: Catalog, tmp_path: Path, target: Bucket, deliver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(tmp_path, entry(key="first"))
    note(tmp_path, entry(key="second"))

    def killed(folder: Path) -> None:
        min(folder.iterdir()).unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as breaking:
        breaking.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            await deliver()
    assert await deliver() == 1
    (text,) = delivered(catalog).values()
    assert text.count("\n") == 2
    assert left(tmp_path) == []


async def test_lines_that_are_refused_wait_for_a_day(
    catalog: Catalog, tmp_path: Path, target: Bucket, deliver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await allow(catalog, "Deny")
    note(tmp_path, entry())
    assert (await deliver(), len(left(tmp_path))) == (0, 2)
    await allow(catalog)
    assert (await deliver(), len(left(tmp_path))) == (1, 0)
    await allow(catalog, "Deny")
    note(tmp_path, entry())
    await deliver()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + KEPT_SECONDS)
    assert (await deliver(), left(tmp_path)) == (0, [])


@pytest.mark.parametrize("why", ["gone", "another's"])
async def test_a_target_that_is_no_more_gets_nothing(
    catalog: Catalog, tmp_path: Path, target: Bucket, deliver: Any, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    await catalog.delete_bucket(Origin(), "logs")
    if why != "gone":
        await catalog.create_bucket(Origin(), "logs", "b" * 64, "us-east-1")
    note(tmp_path, entry())
    assert (await deliver(), len(left(tmp_path))) == (0, 2)
    assert "the access log of source waits" in caplog.text


async def test_of_what_waits_too_much_the_oldest_goes(
    catalog: Catalog, tmp_path: Path, target: Bucket, deliver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await allow(catalog, "Deny")
    monkeypatch.setattr(delivery, "MOST_KEPT", len(line_of(entry())) + 1)
    note(tmp_path, entry(key="0lder"))
    await deliver()
    note(tmp_path, entry(key="newer"))
    await deliver()
    await allow(catalog)
    await deliver()
    (text,) = delivered(catalog).values()
    assert "newer" in text


def test_whose_the_logs_are(target: Bucket) -> None:
    told = Configuration("logs", target_grants=(Grant("READ", "x"),))
    assert author_of(target, told) == (LOG.owner, None)
    preferred = changed(target, {OWNERSHIP: "BucketOwnerPreferred"})
    assert author_of(preferred, Configuration("logs")) == (LOG.owner, None)
    owner, acl = author_of(changed(target, {OWNERSHIP: "ObjectWriter"}), told)
    assert owner == LOG_SERVICE_ID
    assert acl is not None and LOG.owner in acl and '"x"' in acl
