"""How much memory many large uploads at once take of the server: `python -m bench.uploads`."""

from __future__ import annotations

import argparse
import os
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from bench import cpu, servers
from bench.load import Batch, Measured, Outgoing, drive
from bench.rows import MIB
from bench.run import COMMAND
from bench.targets import Endpoint, S3Target

BUCKET = "uploads"
SAMPLE_SECONDS = 0.05


def main() -> None:
    options = parser().parse_args()
    with (
        servers.folder(options.folder) as folder,
        servers.ducket(folder / "data", options.workers, os.sched_getaffinity(0), shlex.split(COMMAND)) as endpoint,
    ):
        target = S3Target(endpoint, BUCKET)
        target.create()
        uploads = batch(endpoint, options.uploads, options.size * MIB)
        with sampled(endpoint) as sizes:
            measured = drive(target.address, uploads, options.uploads)
    report(options, measured, sizes)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=64)
    parser.add_argument("--size", type=int, default=128, help="MiB of each")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("build"), help="where it writes")
    return parser


def batch(endpoint: Endpoint, count: int, size: int) -> Batch:
    """One body for all, its SHA-256 signed."""
    body = os.urandom(MIB) * (size // MIB)
    digest = sha256(body).hexdigest()
    heads = [endpoint.signer.head("PUT", f"/{BUCKET}/{number}", payload=digest, length=size) for number in range(count)]
    return Batch([Outgoing(head, memoryview(body)) for head in heads], 200, 0)


@contextmanager
def sampled(endpoint: Endpoint) -> Iterator[list[int]]:
    """Bytes of memory of all processes of the server together, from time to time."""
    assert endpoint.process is not None
    sizes = [cpu.memory(endpoint.process)]
    over = threading.Event()

    def work(root: int) -> None:
        while not over.wait(SAMPLE_SECONDS):
            sizes.append(cpu.memory(root))

    thread = threading.Thread(target=work, args=(endpoint.process,))
    thread.start()
    yield sizes
    over.set()
    thread.join()


def report(options: argparse.Namespace, measured: Measured, sizes: list[int]) -> None:
    rate = measured.done * options.size / measured.seconds
    print(f"{measured.done} uploads of {options.size} MiB at once, {options.workers} workers: {rate:,.0f} MiB/s")
    print(f"memory of the server: {sizes[0] / MIB:,.0f} MiB before, {max(sizes) / MIB:,.0f} MiB at most")
    if measured.errors or measured.done != options.uploads:
        raise SystemExit(f"wrong answers: {dict(measured.errors)}")


if __name__ == "__main__":
    main()
