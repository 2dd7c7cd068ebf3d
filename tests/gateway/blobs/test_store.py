from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.blobs import Blobs, Digests, digest
from gateway.blobs.errors import BlobCut, NoBlob, NoRoom
from gateway.blobs.store import PUSH_EVERY
from gateway.blobs.sums import size_of_file


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[Blobs]:
    blobs = Blobs(tmp_path)
    yield blobs
    blobs.close()


def files(blobs: Blobs, root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_what_is_written_is_there_under_its_id(blobs: Blobs) -> None:
    body = os.urandom(3_500_000)
    async with blobs.new(Digests(["MD5", "SHA256", "CRC32C", "CRC64NVME"])) as blob:
        for start in range(0, len(body), 65_536):
            await blob.write(body[start : start + 65_536])
        blob_id, size, digests = await blob.finish()
    assert size == len(body)
    assert digests["MD5"] == hashlib.md5(body).digest()
    assert digests["SHA256"] == hashlib.sha256(body).digest()
    assert digests["CRC64NVME"] == digest("CRC64NVME", body)
    assert blobs.path(blob_id).read_bytes()[: len(body)] == body
    assert blobs.path(blob_id).parent.name == blob_id.hex()[:2]


async def test_bytes_and_views_of_bytes(blobs: Blobs) -> None:
    async with blobs.new(Digests(["MD5"])) as blob:
        await blob.write(b"half")
        await blob.write(memoryview(b" and half"))
        blob_id, _, digests = await blob.finish()
    assert digests["MD5"] == hashlib.md5(b"half and half").digest()
    assert blobs.path(blob_id).read_bytes().startswith(b"half and half")


async def test_an_empty_blob(blobs: Blobs) -> None:
    async with blobs.new() as blob:
        blob_id, size, _ = await blob.finish()
    assert size == 0
    assert blobs.path(blob_id).read_bytes() == b""


async def test_bodies_longer_than_one_sync(blobs: Blobs) -> None:
    block = os.urandom(1 << 20)
    async with blobs.new(Digests(["MD5"])) as blob:
        for _ in range(50):
            await blob.write(block)
        blob_id, size, digests = await blob.finish()
    assert size == 50 << 20
    assert digests["MD5"] == hashlib.md5(block * 50).digest()
    assert blobs.path(blob_id).stat().st_size == size_of_file(blob_id, size)


@pytest.mark.parametrize("size", [1, 2_000_000])
async def test_nothing_remains_of_a_failed_one(blobs: Blobs, tmp_path: Path, size: int) -> None:
    async def fail() -> None:
        async with blobs.new() as blob:
            await blob.write(os.urandom(size))
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await fail()
    assert files(blobs, tmp_path) == []


async def test_nothing_remains_of_a_cancelled_one(blobs: Blobs, tmp_path: Path) -> None:
    started = asyncio.Event()

    async def write() -> None:
        async with blobs.new(Digests(["MD5", "SHA256"])) as blob:
            while True:
                await blob.write(bytes(1 << 20))
                started.set()

    for _ in range(5):
        started.clear()
        task = asyncio.create_task(write())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert files(blobs, tmp_path) == []


async def test_nothing_remains_of_one_cancelled_while_it_finishes(blobs: Blobs, tmp_path: Path) -> None:
    async def write() -> None:
        async with blobs.new() as blob:
            await blob.write(bytes(100))
            await blob.finish()

    for turns in range(1, 8):
        task = asyncio.create_task(write())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            assert files(blobs, tmp_path) == []


async def test_a_full_disk_is_a_fact_and_nothing_remains(
    blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(NoRoom):
        async with blobs.new() as blob:
            await blob.write(bytes(5_000_000))
            await blob.finish()
    monkeypatch.undo()
    assert files(blobs, tmp_path) == []


async def test_unlinked_blobs_are_read_on_by_who_has_them_open(blobs: Blobs) -> None:
    async with blobs.new() as blob:
        await blob.write(b"still here")
        blob_id, *_ = await blob.finish()
    reader = blobs.reader(blob_id, 0, 10)
    blobs.unlink([blob_id, os.urandom(16)])
    assert bytes(await reader.read()) == b"still here"
    reader.close()
    with pytest.raises(NoBlob):
        blobs.open(blob_id)


async def test_sweep_takes_only_the_old_and_dead(blobs: Blobs) -> None:
    ids = []
    for _ in range(4):
        async with blobs.new() as blob:
            await blob.write(b"x")
            ids.append((await blob.finish())[0])
    alive, named, dead, _ = ids
    now = time.time()
    for old in (alive, named, dead):
        os.utime(blobs.path(old), (now - 100, now - 100))
    asked: list[bytes] = []

    def sweep(went_back: bool) -> list[bytes]:
        def names(suspects: list[bytes]) -> list[bytes]:
            asked[:] = suspects
            return [named]

        return blobs.sweep(lambda blob: blob == alive, names, now - 50, lambda: went_back)

    assert sweep(went_back=True) == []
    assert blobs.path(dead).exists()
    assert sweep(went_back=False) == [dead]
    assert set(asked) == {named, dead}
    assert [blobs.path(each).exists() for each in ids] == [True, True, False, True]


async def test_sweep_asks_nobody_where_there_is_nothing_to_sweep(blobs: Blobs) -> None:
    async with blobs.new() as blob:
        await blob.finish()
    asked: list[list[bytes]] = []

    def names(suspects: list[bytes]) -> list[bytes]:
        asked.append(suspects)
        return []

    assert blobs.sweep(lambda _: True, names, time.time() + 100, lambda: False) == []
    assert asked == []


async def test_tmp_is_cleared(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "tmp" / "left").write_bytes(b"over")
    blobs.clear_tmp()
    assert files(blobs, tmp_path) == []


async def test_no_more_threads_hash_than_can_run_and_each_begins_as_told(tmp_path: Path) -> None:
    begun: list[threading.Thread] = []
    blobs = Blobs(tmp_path, lambda: begun.append(threading.current_thread()))
    await asyncio.gather(*(stored(blobs, os.urandom(3_000_000)) for _ in range(10)))
    theirs = {thread for thread in threading.enumerate() if thread in begun}
    blobs.close()
    hashing = [thread for thread in theirs if thread.name.startswith("hashing")]
    assert 0 < len(hashing) <= len(os.sched_getaffinity(0))
    assert len(theirs) > len(hashing)  # those that write


async def stored(blobs: Blobs, body: bytes) -> None:
    async with blobs.new(Digests(["MD5", "SHA256"])) as blob:
        await blob.write(body)
        _, _, digests = await blob.finish()
    assert digests["MD5"] == hashlib.md5(body).digest()


async def test_what_is_pushed_to_the_disk_while_it_comes_is_written_once(blobs: Blobs) -> None:
    body = os.urandom(3 * PUSH_EVERY + 12_345)
    async with blobs.new() as blob:
        for start in range(0, len(body), 1 << 20):
            await blob.write(body[start : start + (1 << 20)])
        blob_id, size, _ = await blob.finish()
    assert size == len(body)
    assert blobs.path(blob_id).read_bytes()[:size] == body


async def test_a_disk_that_fails_while_a_body_comes_fails_the_body(
    blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: int, start: int, length: int) -> None:
        raise OSError(errno.EIO, "as a broken disk does")

    monkeypatch.setattr("gateway.blobs.store.push", fail)
    with pytest.raises(OSError, match="broken disk"):
        async with blobs.new() as blob:
            for _ in range(3 * PUSH_EVERY >> 20):
                await blob.write(bytes(1 << 20))
            await blob.finish()
    assert files(blobs, tmp_path) == []


async def test_a_blob_that_the_disk_cut_is_not_begun(blobs: Blobs) -> None:
    async with blobs.new() as blob:
        await blob.write(b"x" * 1000)
        blob_id, _, _ = await blob.finish()
    os.truncate(blobs.path(blob_id), size_of_file(blob_id, 999))
    blobs.reader(blob_id, 0, 999).close()
    with pytest.raises(BlobCut):
        blobs.reader(blob_id, 0, 1000)
