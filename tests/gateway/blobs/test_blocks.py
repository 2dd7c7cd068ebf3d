from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from gateway.blobs.blocks import BLOCK, BUDGET, CORES, HELD, LEAST_BLOCK, SPARE, Blocks, block_size, new_block
from gateway.blobs.digests import Data


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


async def test_every_worker_gets_every_byte_in_order(pool: ThreadPoolExecutor) -> None:
    got: list[list[bytes]] = [[], []]
    blocks = Blocks([(pool, got[0].append), (pool, got[1].append)])
    sent = [bytes([number]) * 300_000 for number in range(20)]
    for each in sent:
        await blocks.write(each)
    await blocks.done()
    assert b"".join(got[0]) == b"".join(got[1]) == b"".join(sent)
    assert blocks.size == 6_000_000


async def test_many_small_pieces_are_worked_on_as_few(pool: ThreadPoolExecutor) -> None:
    got: list[Data] = []
    blocks = Blocks([(pool, got.append)])
    for number in range(4 * BLOCK // 1000):
        await blocks.write(bytes([number % 256]) * 1000)
    await blocks.done()
    assert sum(map(len, got)) == blocks.size
    assert len(got) < 10


async def test_blocks_are_the_smaller_the_more_bodies_there_are(pool: ThreadPoolExecutor) -> None:
    many = [Blocks([(pool, lambda data: None)]) for _ in range(3000)]
    assert block_size() == BLOCK
    for each in many[:100]:
        await each.write(bytes(BLOCK))
    assert LEAST_BLOCK < block_size() * HELD <= BUDGET // 100
    for each in many:
        await each.write(bytes(BLOCK))
    assert block_size() == LEAST_BLOCK
    for each in many[::2]:
        await each.done()
    for each in many[1::2]:
        await each.abandoned()
    assert block_size() == BLOCK


async def test_blocks_that_nobody_ended_do_not_count(pool: ThreadPoolExecutor) -> None:
    lost = [Blocks([(pool, lambda data: None)]) for _ in range(1000)]
    for each in lost:
        await each.write(bytes(BLOCK))
        await each._settled()
    assert block_size() < BLOCK
    lost.clear()
    del each
    assert block_size() == BLOCK


class Counting(ThreadPoolExecutor):
    submitted = 0

    def submit(self, *given: Any, **named: Any) -> Future[Any]:
        self.submitted += 1
        return super().submit(*given, **named)


async def test_work_is_side_by_side_as_long_as_there_are_more_cores_than_bodies() -> None:
    order: list[str] = []
    with Counting(2) as first, Counting(2) as second:
        several = [
            Blocks(
                [(first, void), (second, lambda block: order.append("a")), (second, lambda block: order.append("b"))]
            )
            for _ in range(CORES)
        ]
        for each in several[1:]:
            await each.write(bytes(BLOCK))
            await each._settled()
        assert (first.submitted, second.submitted) == (CORES - 1, 2 * (CORES - 1))
        order.clear()
        await several[0].write(bytes(BLOCK))
        await several[0]._settled()
        assert (first.submitted, second.submitted, order) == (CORES, 2 * (CORES - 1) + 1, ["a", "b"])
        for each in several:
            await each.done()


async def test_a_block_that_was_worked_on_is_filled_anew(pool: ThreadPoolExecutor) -> None:
    blocks, other = Blocks([(pool, lambda block: None)]), Blocks([(pool, lambda block: None)])
    first, second = new_block(BLOCK), new_block(BLOCK)
    await blocks.write(first)
    await blocks.write(second)
    await blocks._settled()
    await other.write(bytes(BLOCK))
    assert new_block(LEAST_BLOCK) not in (first, second)  # of another size: what there was is let go of
    await blocks.write(first)
    await blocks._settled()
    assert new_block(BLOCK) is first
    assert new_block(BLOCK) is not first
    await blocks.write(first)
    await blocks.done()
    assert SPARE
    await other.done()
    assert not SPARE


async def test_what_is_kept_to_be_filled_is_no_more_than_there_are_bodies(pool: ThreadPoolExecutor) -> None:
    several = [Blocks([(pool, lambda block: None)]) for _ in range(3)]
    for each in several * 5:
        await each.write(bytearray(BLOCK))
    for each in several:
        await each._settled()
    assert len(SPARE) == 3
    for each in several:
        await each.abandoned()
    assert not SPARE


async def test_what_comes_after_the_last_byte(pool: ThreadPoolExecutor) -> None:
    order: list[str] = []
    blocks = Blocks([(pool, lambda block: order.append("worked"))])
    await blocks.write(b"x")
    await blocks.done(lambda: order.append("then"))
    assert order == ["worked", "then"]


async def test_no_byte_at_all(pool: ThreadPoolExecutor) -> None:
    got: list[bytes] = []
    blocks = Blocks([(pool, got.append)])
    await blocks.done()
    assert (got, blocks.size) == ([], 0)


async def test_what_a_worker_raises_reaches_the_writer(pool: ThreadPoolExecutor) -> None:
    def fail(block: bytes) -> None:
        raise ZeroDivisionError

    blocks = Blocks([(pool, fail)])
    with pytest.raises(ZeroDivisionError):
        for _ in range(5):
            await blocks.write(bytes(BLOCK))
    blocks = Blocks([(pool, fail)])
    await blocks.write(b"x")
    with pytest.raises(ZeroDivisionError):
        await blocks.done()


async def test_a_reader_is_one_block_ahead_at_most(pool: ThreadPoolExecutor) -> None:
    go = threading.Event()
    blocks = Blocks([(pool, lambda block: void(go.wait()))])
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

    blocks = Blocks([(pool, work)])
    await blocks.write(bytes(BLOCK))
    waiting = asyncio.ensure_future(blocks.done())
    await asyncio.sleep(0)
    waiting.cancel()
    go.set()
    await blocks.abandoned()
    assert ended.is_set()


def void(_: object) -> None:
    pass
