from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.blobs.blocks import BLOCK, Blocks


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


async def test_every_worker_gets_every_byte_in_order(pool: ThreadPoolExecutor) -> None:
    got: list[list[bytes]] = [[], []]
    blocks = Blocks(pool, [got[0].append, got[1].append])
    sent = [bytes([number]) * 300_000 for number in range(20)]
    for each in sent:
        await blocks.write(each)
    await blocks.done()
    assert b"".join(got[0]) == b"".join(got[1]) == b"".join(sent)
    assert blocks.size == 6_000_000
    assert all(len(block) >= BLOCK for block in got[0][:-1])


async def test_what_comes_after_the_last_byte(pool: ThreadPoolExecutor) -> None:
    order: list[str] = []
    blocks = Blocks(pool, [lambda block: order.append("worked")])
    await blocks.write(b"x")
    await blocks.done(lambda: order.append("then"))
    assert order == ["worked", "then"]


async def test_no_byte_at_all(pool: ThreadPoolExecutor) -> None:
    got: list[bytes] = []
    blocks = Blocks(pool, [got.append])
    await blocks.done()
    assert (got, blocks.size) == ([], 0)


async def test_what_a_worker_raises_reaches_the_writer(pool: ThreadPoolExecutor) -> None:
    def fail(block: bytes) -> None:
        raise ZeroDivisionError

    blocks = Blocks(pool, [fail])
    with pytest.raises(ZeroDivisionError):
        for _ in range(5):
            await blocks.write(bytes(BLOCK))
    blocks = Blocks(pool, [fail])
    await blocks.write(b"x")
    with pytest.raises(ZeroDivisionError):
        await blocks.done()


async def test_a_reader_is_one_block_ahead_at_most(pool: ThreadPoolExecutor) -> None:
    go = threading.Event()
    blocks = Blocks(pool, [lambda block: void(go.wait())])
    await blocks.write(bytes(BLOCK))
    second = asyncio.ensure_future(blocks.write(bytes(BLOCK)))
    await asyncio.sleep(0.05)
    assert not second.done()
    go.set()
    await second
    await blocks.done()


async def test_abandoned_means_that_no_thread_works_on(pool: ThreadPoolExecutor) -> None:
    go, ended = threading.Event(), threading.Event()

    def work(block: bytes) -> None:
        go.wait()
        ended.set()
        raise ZeroDivisionError

    blocks = Blocks(pool, [work])
    await blocks.write(bytes(BLOCK))
    waiting = asyncio.ensure_future(blocks.done())
    await asyncio.sleep(0)
    waiting.cancel()
    go.set()
    await blocks.abandoned()
    assert ended.is_set()


def void(_: object) -> None:
    pass
