"""How what works in the background leaves the cores to those that answer requests."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

_SLICE = 100_000  # nanoseconds, the least that the kernel takes
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}  # the system call, for which Python has no function
_ATTRIBUTES = struct.Struct("IIQiIQQQ")  # size, policy, flags, niceness, priority, runtime, deadline, period


def give_way(niceness: int) -> None:
    """The calling thread, and those that it makes from now on, are at least so nice.

    That is not all: a nice thread too keeps its core for a slice of milliseconds, whoever wakes up meanwhile (Linux 6.6
    and later). Where the kernel can (6.12), slices are made as short as may be.
    https://man7.org/linux/man-pages/man2/sched_setattr.2.html
    """
    niceness = max(niceness, os.getpriority(os.PRIO_PROCESS, 0))
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    number = _SCHED_SETATTR.get(platform.machine())
    if number is not None:
        attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, niceness, 0, _SLICE, 0, 0)
        ctypes.CDLL(None).syscall(number, 0, attributes, 0)
