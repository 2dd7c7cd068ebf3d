from __future__ import annotations

import os
import subprocess
import sys
import time

from bench import cpu

BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"


def test_counts_a_process_and_its_children() -> None:
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"
    with subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        used = cpu.seconds(parent.pid)
        parent.communicate(b"\n")
    assert 0.25 <= used < 3


def test_counts_nothing_else() -> None:
    before = cpu.seconds(os.getpid())
    with subprocess.Popen(["sleep", "1000"]) as idle:
        assert cpu.seconds(idle.pid) < 0.1
        idle.kill()
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    assert cpu.seconds(os.getpid()) - before >= 0.08


def test_waits_for_what_was_put_off() -> None:
    late = "import time\ntime.sleep(0.5)\nwhile time.process_time() < 1: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", late], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        cpu.settle(process.pid)
        assert cpu.seconds(process.pid) >= 0.9
        process.communicate(b"\n")
