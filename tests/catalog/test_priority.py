from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from catalog.priority import give_way

T = TypeVar("T")

MOST = 19  # nobody is nicer
SCHED_GETATTR = {"x86_64": 315, "aarch64": 275, "riscv64": 275}


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def in_a_thread(*calls: Callable[[], T]) -> list[T]:
    """Of one that ends then: a thread cannot take back that it is nice."""
    with ThreadPoolExecutor(1) as thread:
        return [thread.submit(call).result() for call in calls]


def test_a_thread_gives_way_by_itself() -> None:
    ours = niceness()
    assert in_a_thread(lambda: give_way(ours + 3), niceness)[1] == min(ours + 3, MOST)
    assert niceness() == ours


def test_what_it_makes_gives_way_too() -> None:
    ours = niceness()
    assert in_a_thread(lambda: give_way(ours + 3), lambda: in_a_thread(niceness)[0])[1] == min(ours + 3, MOST)


def test_who_is_nicer_stays_so() -> None:
    ours = niceness()
    assert in_a_thread(lambda: give_way(ours + 5), lambda: give_way(ours + 3), niceness)[2] == min(ours + 5, MOST)


def test_it_lets_go_of_its_core_soon_where_the_kernel_can() -> None:
    if slice_of_thread() is None:
        pytest.fail(f"what is {platform.machine()}'s sched_getattr?")
    before, _, after = in_a_thread(slice_of_thread, lambda: give_way(niceness() + 1), slice_of_thread)
    assert before is not None and after is not None
    assert after == (100_000 if before else 0)  # 0: a kernel that has one slice for all


def slice_of_thread() -> int | None:
    """In nanoseconds."""
    number, answer = SCHED_GETATTR.get(platform.machine()), bytearray(48)
    if number is None:
        return None
    buffer = (ctypes.c_char * len(answer)).from_buffer(answer)
    assert ctypes.CDLL(None).syscall(number, 0, buffer, len(answer), 0) == 0
    return int(struct.unpack("IIQiIQQQ", answer)[5])
