from __future__ import annotations

import asyncio
import errno
import multiprocessing
import os
import shutil
import threading
import time
from pathlib import Path

import msgspec
import pytest

from catalog import Catalog, lag
from catalog.commit import MOST_ON_LOOP
from catalog.decisions import Deleted
from catalog.errors import DatabaseBehind, PreconditionFailed, StorageFull
from catalog.log import Log, beginning
from catalog.records import Bucket, Origin, Part, Version
from catalog.store import MANY_PARTS

ORIGIN = Origin()


async def test_a_full_disk_refuses_the_write_and_keeps_what_was(
    catalog: Catalog, bucket: Bucket, draft: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await catalog.put(ORIGIN, bucket, "a", draft, b"kept")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", full)
        with pytest.raises(StorageFull):
            await catalog.put(ORIGIN, bucket, "a", draft, b"lost")
    assert catalog.get(bucket, "a") == kept
    again = await catalog.put(ORIGIN, bucket, "a", draft, b"again")
    assert again.seq == kept.seq + 1


async def test_what_needs_no_room_is_done_beside_what_finds_none(
    tmp_path: Path, draft: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one batch: the segment is full, and there is no room for another."""
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "bucket", "root", "us-east-1")
    await catalog.put(ORIGIN, bucket, "kept", draft, bytes(60_000))
    await catalog.put(ORIGIN, bucket, "gone", draft, bytes(60_000))

    def full(log: Log, segment: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Log, "make_ahead", full)
    puts = [catalog.put(ORIGIN, bucket, f"{number}", draft, bytes(60_000)) for number in range(30)]
    done = await asyncio.gather(
        *puts[:15],
        catalog.delete(ORIGIN, bucket, "gone"),
        *puts[15:],
        catalog.create_bucket(ORIGIN, "another", "root", "us-east-1"),
        return_exceptions=True,
    )
    refused = [isinstance(each, BaseException) for each in done]
    assert refused.index(True) < 15, "the deletion comes behind the first that found no room"
    assert {type(each) for each in done if isinstance(each, BaseException)} == {StorageFull}
    for _ in range(2):
        there = catalog.list_objects(bucket).keys
        assert there == sorted(["kept", *(f"{number}" for number in range(refused.index(True)))])
        assert {each.name for each in catalog.buckets(None)} == {"another", "bucket"}
        await catalog.close()
        shutil.rmtree(tmp_path / "index")  # what the log says is the same
        catalog = Catalog.open(tmp_path)
    catalog.release()


async def test_a_slow_disk_does_not_hold_the_loop(
    catalog: Catalog, bucket: Bucket, draft: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once commits are seen to be slow, the loop turns while one is under way."""
    real = os.fdatasync
    turned = 0
    counts: list[int] = []

    def slow(descriptor: int) -> None:
        before = turned
        time.sleep(0.02)
        real(descriptor)
        counts.append(turned - before)

    async def turn() -> None:
        nonlocal turned
        while True:
            await asyncio.sleep(0)
            turned += 1

    monkeypatch.setattr(os, "fdatasync", slow)
    turning = asyncio.create_task(turn())
    for _ in range(4):
        await catalog.put(ORIGIN, bucket, "a", draft, b"x")
    turning.cancel()
    assert counts[0] == 0
    assert counts[-1] > 0


async def test_writers_wait_while_the_database_is_far_behind(
    catalog: Catalog, bucket: Bucket, draft: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "SLOWING", 4)
    pauses = []
    for number in range(10):
        await catalog.put(ORIGIN, bucket, f"k{number}", draft)
        pauses.append(catalog._commits._pause)
    assert pauses[0] == 0 < pauses[5] < pauses[-1] == lag.LONGEST
    catalog.tail().tell_applied(catalog.end())
    await catalog.put(ORIGIN, bucket, "k", draft)
    assert catalog._commits._pause == 0


async def test_a_paused_batch_leaves_the_loop_to_others(
    catalog: Catalog, bucket: Bucket, draft: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "SLOWING", 1)
    await catalog.put(ORIGIN, bucket, "a", draft)
    await catalog.put(ORIGIN, bucket, "a", draft)
    before = catalog.end()
    waiting = [catalog.put(ORIGIN, bucket, f"k{number}", draft) for number in range(3)]
    writes = asyncio.gather(*waiting)
    for _ in range(10):
        await asyncio.sleep(0)
    assert catalog.end() == before
    await writes
    assert catalog.end().seq == before.seq + 3


async def test_nothing_is_written_once_the_database_is_hopelessly_behind(
    catalog: Catalog, bucket: Bucket, draft: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await catalog.put(ORIGIN, bucket, "a", draft)
    monkeypatch.setattr(lag, "MOST", 1)
    with pytest.raises(DatabaseBehind):
        await catalog.put(ORIGIN, bucket, "a", draft)
    assert catalog.get(bucket, "a") == kept
    catalog.tail().tell_applied(catalog.end())
    assert (await catalog.put(ORIGIN, bucket, "a", draft)).seq == kept.seq + 1


async def test_a_decision_that_breaks_spoils_only_itself(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    def breaks(current: Version | None) -> None:
        raise ZeroDivisionError

    writes = [catalog.put(ORIGIN, bucket, "a", draft, check=breaks), catalog.put(ORIGIN, bucket, "b", draft)]
    first, second = await asyncio.gather(*writes, return_exceptions=True)
    assert isinstance(first, ZeroDivisionError)
    assert isinstance(second, Version)


def _race(path: Path, bucket: Bucket, keys: int, won: multiprocessing.Queue[list[str]]) -> None:
    def only_new(current: Version | None) -> None:
        if current is not None:
            raise PreconditionFailed("If-None-Match")

    async def main() -> list[str]:
        catalog = Catalog.open(path)
        mine = []
        for number in range(keys):
            draft = Version(0, "", 0, str(os.getpid()), 4, "STANDARD", "root")
            try:
                await catalog.put(ORIGIN, bucket, f"k{number}", draft, b"mine", check=only_new)
                mine.append(f"k{number}")
            except PreconditionFailed:
                continue
        await catalog.close()
        return mine

    won.put(asyncio.run(main()))


async def test_processes_that_race_for_keys_each_win_their_own(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    spawn = multiprocessing.get_context("spawn")
    won: multiprocessing.Queue[list[str]] = spawn.Queue()
    racers = [spawn.Process(target=_race, args=(tmp_path, bucket, 200, won)) for _ in range(3)]
    for racer in racers:
        racer.start()
    winners = [won.get() for _ in racers]
    for racer in racers:
        racer.join()
    assert sorted(key for mine in winners for key in mine) == sorted(f"k{number}" for number in range(200))
    records, _ = catalog.tail().read(beginning(catalog.tail().catalog_id), catalog.end(), 10**6)
    assert [seq for seq, _ in records] == list(range(1, 202))
    await catalog.close()


async def test_a_crowd_of_writes_leaves_the_loop_to_others_between_batches(
    catalog: Catalog, bucket: Bucket, draft: Version
) -> None:
    writes = [catalog.put(ORIGIN, bucket, f"{number}", draft, b"x") for number in range(1000)]
    done: set[int] = set()
    while len(done) < len(writes):
        await asyncio.sleep(0)
        now = {number for number, write in enumerate(writes) if write.done()}
        assert len(now - done) <= 128  # a batch's, and those of one that was committed since
        done = now
    assert len({(await write).seq for write in writes}) == 1000


async def test_an_object_of_many_parts_is_not_committed_on_the_loop(
    catalog: Catalog, bucket: Bucket, draft: Version
) -> None:
    threads: list[threading.Thread] = []

    def check(current: Version | None) -> None:
        threads.append(threading.current_thread())

    async def put(count: int) -> None:
        parts = [Part(number, 1, "e", 0, None) for number in range(1, count + 1)]
        await catalog.put(ORIGIN, bucket, "k", msgspec.structs.replace(draft, parts=parts), check=check)

    for count in (1, MANY_PARTS + 1, 1):
        await put(count)
    on_loop = threading.current_thread()
    assert [thread is on_loop for thread in threads] == [True, False, True]


@pytest.mark.parametrize("before", [1, 2])
async def test_a_batch_behind_one_of_several_takes_what_comes_turn_by_turn(
    catalog: Catalog, bucket: Bucket, draft: Version, before: int
) -> None:
    await asyncio.gather(*(catalog.put(ORIGIN, bucket, f"{number}", draft) for number in range(before)))
    start = catalog.end()
    writes = []
    for number in range(5):
        writes.append(asyncio.ensure_future(catalog.put(ORIGIN, bucket, f"{number}", draft)))
        await asyncio.sleep(0)
    await asyncio.gather(*writes)
    records, _ = catalog.tail().read(start, catalog.end(), 10**6)
    batches = {record.settled for _, record in records}
    assert len(records) == 5
    assert (len(batches) == 1) is (before > 1)


async def test_who_comes_alone_does_not_wait_for_a_crowd(
    catalog: Catalog, bucket: Bucket, draft: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.commit.SLOW", 60.0)
    monkeypatch.setattr("catalog.commit.STALL", 60.0)
    keys = [f"{number}" for number in range(10 * MOST_ON_LOOP)]
    await asyncio.gather(*(catalog.put(ORIGIN, bucket, key, draft) for key in keys))
    deleting = asyncio.ensure_future(catalog.delete_many(ORIGIN, bucket, [(key, None, None) for key in keys]))
    await asyncio.sleep(0)
    await catalog.put(ORIGIN, bucket, "alone", draft)
    left = len(catalog.list_objects(bucket).keys)
    assert left > 5 * MOST_ON_LOOP
    assert all(isinstance(each, Deleted) for each in await deleting)
    assert catalog.list_objects(bucket).keys == ["alone"]


async def test_a_crowd_gets_on_among_others_without_end(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    keys = [f"{number}" for number in range(3 * MOST_ON_LOOP)]
    deleting = asyncio.ensure_future(catalog.delete_many(ORIGIN, bucket, [(key, None, None) for key in keys]))

    async def go_on(key: str) -> None:
        while not deleting.done():
            await catalog.put(ORIGIN, bucket, key, draft)

    await asyncio.gather(*(go_on(f"other-{number}") for number in range(3 * MOST_ON_LOOP)))
    assert len(await deleting) == len(keys)


@pytest.mark.parametrize("stall, calm, on_loop", [(-1.0, 60.0, False), (-1.0, 0.0, True), (60.0, 60.0, True)])
async def test_a_commit_that_stalled_keeps_the_next_off_the_loop_for_a_while(
    catalog: Catalog,
    bucket: Bucket,
    draft: Version,
    monkeypatch: pytest.MonkeyPatch,
    stall: float,
    calm: float,
    on_loop: bool,
) -> None:
    monkeypatch.setattr("catalog.commit.SLOW", 60.0)
    monkeypatch.setattr("catalog.commit.STALL", stall)
    monkeypatch.setattr("catalog.commit.CALM", calm)
    threads: list[threading.Thread] = []

    def check(current: Version | None) -> None:
        threads.append(threading.current_thread())

    for _ in range(2):
        await catalog.put(ORIGIN, bucket, "k", draft, check=check)
    assert (threads[1] is threading.current_thread()) is on_loop
