"""What a stall of the peer does to the figures, and to the run."""

from __future__ import annotations

import asyncio
import time

import pytest

from bench.load import Batch, LoadFailed, Outgoing
from bench.paced import paced, percentiles
from tests.bench.test_load import GET, OK, answering, peer

BATCH = Batch([Outgoing(GET)], 200, 5, repeat=True)


def test_requests_come_at_the_rate_asked_for() -> None:
    with peer(answering(OK)) as address:
        one, other = paced(address, [BATCH, BATCH], 2, 200, 0.5)
    assert 90 <= len(one) <= 102
    assert 90 <= len(other) <= 102
    assert one == sorted(one)


def test_a_stall_counts_for_every_request_that_it_keeps_waiting() -> None:
    """A loop that waits for each answer would count it once."""
    stalled = False

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal stalled
        while await reader.readuntil(b"\r\n\r\n"):
            if not stalled:
                stalled = True
                stall()
            writer.write(OK)

    with peer(answer) as address:
        (latencies,) = paced(address, [BATCH], 1, 100, 0.6)
    assert sum(latency > 0.1 for latency in latencies) >= 15
    (most,) = percentiles(latencies, [1.0])
    assert most >= 0.3


def stall() -> None:
    time.sleep(0.3)


@pytest.mark.parametrize("answer", [OK.replace(b"200 OK", b"503 Slow Down"), OK.replace(b"5\r\n", b"4\r\n", 1), b""])
def test_a_wrong_answer_ends_the_run(answer: bytes) -> None:
    async def wrong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    with peer(wrong) as address, pytest.raises(LoadFailed):
        paced(address, [BATCH], 1, 100, 0.1)
