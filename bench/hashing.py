"""A large PUT against what hashing allows, in rounds: `python -m bench.hashing`.

The digests of a PUT (MD5, the signed SHA-256, CRC-64/NVME) are taken of 64 MiB in memory, on the server's first core:
one after the other, as on a single core, and the slowest alone, as with cores enough. No PUT can be faster.
"""

from __future__ import annotations

import argparse
import os
import shlex
import time
from pathlib import Path
from statistics import median

from bench import batches, servers
from bench.rows import MIB, chosen
from bench.run import COMMAND
from bench.targets import S3Target
from gateway.blobs import Digests

SIZE = 64
DIGESTS = ("MD5", "SHA256", "CRC64NVME")
Rates = dict[str, list[float]]


def main() -> None:
    options = parser().parse_args()
    on, load = servers.cores(options.cores)
    bound, rows = min(on), chosen(["PUT-64MiB@1", "PUT-64MiB@4"])
    rates: Rates = {name: [] for name in (*DIGESTS, *(row.name for row in rows))}
    by_cpu: Rates = {row.name: [] for row in rows}
    with (
        servers.folder(options.folder) as folder,
        servers.ducket(folder / "data", 1, on, shlex.split(COMMAND)) as endpoint,
    ):
        os.sched_setaffinity(0, load)
        target = S3Target(endpoint, "hashing")
        target.prepare(rows)
        for _ in range(options.rounds):
            for name in DIGESTS:
                rates[name].append(hashing(name, bound))
            for row in rows:
                measured = target.measure(row, options.seconds)
                rates[row.name].append(measured.rate * SIZE)
                by_cpu[row.name].append(measured.done * SIZE / measured.cpu)
    print("\n".join(lines(rates, by_cpu)))


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round of each row")
    parser.add_argument("--cores", type=int, default=1, help="that the server may use")
    parser.add_argument("--folder", type=Path, default=Path("build"), help="where it writes")
    return parser


def hashing(name: str, core: int) -> float:
    """MiB a second of processor time."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        digests, block = Digests([name]), batches.REST[:MIB]
        began = time.process_time()
        for _ in range(SIZE):
            digests.update(block)
        return SIZE / (time.process_time() - began)
    finally:
        os.sched_setaffinity(0, ours)


def lines(rates: Rates, by_cpu: Rates) -> list[str]:
    """Each PUT's ratio is the median of the rounds' own; `by cpu` is what it would be if nothing were waited for."""
    after, beside = [], []
    for each in zip(*(rates[name] for name in DIGESTS), strict=True):
        after.append(1 / sum(1 / rate for rate in each))
        beside.append(min(each))
    text = [f"{name:<12} {median(rates[name]):>8,.0f} MiB/s" for name in DIGESTS]
    for name, used in by_cpu.items():
        all_of_them = f"{ratio(rates[name], after):.2f} of all on one core (by cpu {ratio(used, after):.2f})"
        slowest = f"{ratio(rates[name], beside):.2f} of the slowest"
        text.append(f"{name:<12} {median(rates[name]):>8,.0f} MiB/s: {all_of_them}, {slowest}")
    return text


def ratio(above: list[float], below: list[float]) -> float:
    return median(over / under for over, under in zip(above, below, strict=True))


if __name__ == "__main__":
    main()
