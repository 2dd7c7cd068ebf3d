"""How a process that works in the background leaves the cores to those that answer requests."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def give_way(niceness: int) -> None:
    """Where the kernel shares cores out among sessions first, niceness counts within one: then the session has its own.

    https://man7.org/linux/man-pages/man7/sched.7.html, "The autogroup feature"
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(f"{niceness}")
