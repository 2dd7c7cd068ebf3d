from __future__ import annotations

import os

from bench.hashing import DIGESTS, hashing, lines


def test_digests_are_measured_on_one_core_and_the_load_stays_on_its_own() -> None:
    cores = os.sched_getaffinity(0)
    assert all(hashing(name, min(cores)) > 0 for name in DIGESTS)
    assert os.sched_getaffinity(0) == cores


def test_a_put_is_compared_with_all_digests_and_with_the_slowest() -> None:
    rates = {"MD5": [100.0, 100.0], "SHA256": [100.0, 100.0], "CRC64NVME": [50.0, 200.0], "PUT": [20.0, 20.0]}
    by_cpu = {"PUT": [25.0, 35.0]}
    assert lines(rates, by_cpu)[-1].split(": ")[1] == "0.65 of all on one core (by cpu 0.94), 0.30 of the slowest"
