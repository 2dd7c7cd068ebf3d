"""Requests at a steady pace, and how long each took from when it was due: a stall is felt by all that it delays."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import cycle

from bench.load import LENGTH, Batch, LoadFailed

BUFFER = 64 << 10
GIVE_UP_SECONDS = 120.0


class Pacer(threading.Thread):
    """One connection, one request at a time, the next one `interval` seconds after the last was due."""

    def __init__(self, address: tuple[str, int], batch: Batch, interval: float, began: float, seconds: float) -> None:
        super().__init__(daemon=True)
        self.batch = batch
        self.interval = interval
        self.began = began
        self.until = began + seconds
        self.line = socket.create_connection(address)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.line.settimeout(GIVE_UP_SECONDS)
        self.latencies: list[float] = []
        self.failure: Exception | None = None

    def run(self) -> None:
        # Who measures must not wait for a core: what a client on a machine of its own would see is wanted.
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        requests = cycle(self.batch.requests) if self.batch.repeat else iter(self.batch.requests)
        due = self.began
        try:
            for request in requests:
                pause = due - time.perf_counter()
                if pause > 0:
                    time.sleep(pause)
                # Our own waking late is not the server's doing; being late because it was is.
                start = max(due, time.perf_counter()) if pause > 0 else due
                self.exchange(request.data)
                ended = time.perf_counter()
                self.latencies.append(ended - start)
                due += self.interval
                if due > self.until:
                    return
        except (OSError, LoadFailed) as failure:
            self.failure = failure
        finally:
            self.line.close()

    def exchange(self, request: bytes) -> None:
        """Raises LoadFailed for an answer that is not as the batch says."""
        self.line.sendall(request)
        answer = b""
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self.received()
        found = LENGTH.search(answer, 0, end)
        length = int(found[1]) if found else 0
        if int(answer[9:12]) != self.batch.status or length != self.batch.length:
            raise LoadFailed(f"a wrong answer: {answer[:1000]!r}")
        left = length - (len(answer) - end - 4)
        while left > 0:
            left -= len(self.received())

    def received(self) -> bytes:
        if data := self.line.recv(BUFFER):
            return data
        raise LoadFailed("the connection was closed")


def paced(
    address: tuple[str, int], batches: Sequence[Batch], connections: int, rate: float, seconds: float
) -> list[list[float]]:
    """The latencies of each batch, sorted: so many requests a second over its own connections, evenly apart."""
    collecting = gc.isenabled()
    gc.disable()
    began = time.perf_counter() + 0.05
    interval = connections / rate
    pacers = [
        [
            Pacer(address, shared(batch, number, connections), interval, began + number / rate, seconds)
            for number in range(connections)
        ]
        for batch in batches
    ]
    every = [pacer for group in pacers for pacer in group]
    for pacer in every:
        pacer.start()
    for pacer in every:
        pacer.join()
    if collecting:
        gc.enable()
    for failure in filter(None, (pacer.failure for pacer in every)):
        raise LoadFailed("the measuring broke off") from failure
    return [sorted(latency for pacer in group for latency in pacer.latencies) for group in pacers]


def shared(batch: Batch, number: int, connections: int) -> Batch:
    """What one of the connections sends: its share, or all of it from a place of its own."""
    requests = list(batch.requests)
    if batch.repeat:
        start = number * len(requests) // connections
        return replace(batch, requests=requests[start:] + requests[:start])
    return replace(batch, requests=requests[number::connections])


def percentiles(latencies: Sequence[float], shares: Sequence[float]) -> Iterator[float]:
    for share in shares:
        yield latencies[min(len(latencies) - 1, int(share * len(latencies)))]
