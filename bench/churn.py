"""A day of overwrites and deletes in miniature, the space it takes, what it does to a PUT: `python -m bench.churn`."""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench import batches, cpu, report, servers
from bench.load import Batch, Outgoing
from bench.paced import paced, percentiles
from bench.run import server_options
from bench.sign import Signer
from bench.targets import Endpoint, S3Target

SHARES = (0.5, 0.99)
SPACE, SLOWER = 2.0, 2.0  # times the live bytes, and times the quiet p99, that are not to be exceeded
FLOOR = 3 * 64  # MiB that are not counted: the segment written to, the one before it, the one made ahead
MIB = 1 << 20
SMALLEST, LARGEST_SMALL, LARGE = 4 << 10, 60 << 10, 256 << 10
LARGE_SHARE, PASSING_SHARE = 20, 10  # one of so many small PUTs beside which there is one of these
BUCKET = "churn"
SIZE = re.compile(rb"<Size>(\d+)</Size>")
LAST_KEY = re.compile(rb"<Key>([^<]+)</Key>")
HEADING = (
    f"{'round':<6}{'live MiB':>9}{'log':>7}{'blobs':>7}{'times':>7}{'at rest':>9}{'quiet log':>11}"
    f"{'p50 ms':>9}{'p99 ms':>9}{'quiet p99':>11}{'ratio':>7}"
)


@dataclass
class Round:
    """MiB and milliseconds; `at_rest` is the log at rest, `quiet` of the server without compaction."""

    live: float
    log: float
    blobs: float
    at_rest: float
    quiet_log: float
    p50: float
    p99: float
    quiet_p99: float

    @property
    def times(self) -> float:
        return max(self.log + self.blobs - FLOOR, 0.0) / self.live


class Churn:
    """What a client does to one server in round after round: the same to every server."""

    def __init__(self, endpoint: Endpoint, data: Path, options: argparse.Namespace) -> None:
        self.target = S3Target(endpoint, BUCKET)
        self.process = endpoint.process or 0
        self.data = data
        self.options = options
        self.target.create()

    def run(self, number: int) -> list[float]:
        """The latencies of the small PUTs, in milliseconds: p50 and p99."""
        chance = random.Random(number)
        count = int(self.options.rate * self.options.seconds)
        signer = self.target.signer
        small = Batch(list(puts(signer, self.small_keys(chance, count, number))), 200, 0)
        large = Batch(list(puts(signer, self.large_keys(chance, count // LARGE_SHARE))), 200, 0)
        keys = [key for key, _ in passing(number - 1, count)]
        gone = Batch(batches.delete(signer, BUCKET, keys, 0).requests, 204, 0)
        rates = {1: small, LARGE_SHARE: large, PASSING_SHARE: gone}
        with ThreadPoolExecutor(len(rates)) as threads:
            found = list(threads.map(self.at_pace, rates.values(), [self.options.rate / share for share in rates]))
        return [value * 1000 for value in percentiles(found[0], SHARES)]

    def at_pace(self, batch: Batch, rate: float) -> list[float]:
        options = self.options
        return paced(self.target.address, [batch], options.connections, rate, options.seconds)[0]

    def small_keys(self, chance: random.Random, count: int, number: int) -> Iterator[tuple[str, int]]:
        """Few keys are written often, most hardly ever; every tenth is deleted in the next round."""
        short_lived = passing(number, count)
        for at in range(count):
            if at % PASSING_SHARE == 0 and short_lived:
                yield short_lived.pop()
            else:
                key = int(self.options.keys * chance.random() ** 3)
                yield f"small/{key:06d}", SMALLEST + key * 7919 % (LARGEST_SMALL - SMALLEST)

    def large_keys(self, chance: random.Random, count: int) -> Iterator[tuple[str, int]]:
        for _ in range(count):
            yield f"large/{int(self.options.keys / 100 * chance.random() ** 3):04d}", LARGE

    def settle(self) -> None:
        cpu.settle(self.process)

    def live(self) -> float:
        """MiB, as a listing of everything adds them up."""
        total, after = 0, ""
        while True:
            page = self.target.ask("GET", f"/{BUCKET}", {"list-type": "2", **({"start-after": after} if after else {})})
            total += sum(map(int, SIZE.findall(page)))
            if b"<IsTruncated>true" not in page:
                return total / MIB
            after = LAST_KEY.findall(page)[-1].decode()

    def space(self, part: str) -> float:
        """MiB on the disk, with those of files that are deleted but that a process of the server has open yet."""
        blocks = [path.stat().st_blocks for path in (self.data / part).rglob("*") if path.is_file()]
        deleted = {}
        for pid in cpu.family(self.process):
            for link in Path(f"/proc/{pid}/fd").glob("*"):
                try:
                    name, status = str(link.readlink()), link.stat()
                except FileNotFoundError:
                    continue
                if name.startswith(f"{(self.data / part).absolute()}/") and name.endswith(" (deleted)"):
                    deleted[status.st_ino] = status.st_blocks
        return (sum(blocks) + sum(deleted.values())) * 512 / MIB


def passing(number: int, count: int) -> list[tuple[str, int]]:
    return [(f"passing/{number:04d}/{at:06d}", LARGEST_SMALL) for at in range(count // PASSING_SHARE)]


def puts(signer: Signer, keys: Iterator[tuple[str, int]]) -> Iterator[Outgoing]:
    for key, size in keys:
        (request,) = batches.put(signer, BUCKET, [key], size).requests
        yield Outgoing(request.data + bytes(request.rest or b""))


def main() -> None:
    options = parser().parse_args()
    every = os.sched_getaffinity(0)
    print(f"{options.rate:.0f} small PUTs a second, {options.workers} workers, cores {sorted(every)}\n{HEADING}")
    rounds = []
    with servers.alone(), servers.folder(options.folder) as folder, ExitStack() as stack:
        compacting, quiet = (
            Churn(
                stack.enter_context(
                    servers.ducket(
                        folder / name, options.workers, every, shlex.split(options.command), compaction_rate=rate
                    )
                ),
                folder / name,
                options,
            )
            for name, rate in (("compacting", options.compaction_rate), ("quiet", 0))
        )
        for number in range(options.rounds):
            rounds.append(measured(number, compacting, quiet))
            print(line(number, rounds[-1]), flush=True)
    print(summary(rounds))
    if options.json:
        plain = {"machine": report.machine(), "rounds": [asdict(each) for each in rounds]}
        options.json.write_text(json.dumps(plain, indent=2, default=str) + "\n")


def measured(number: int, compacting: Churn, quiet: Churn) -> Round:
    """One after the other, and each has come to rest before the other begins; space while the work is just done."""
    first, second = (compacting, quiet) if number % 2 == 0 else (quiet, compacting)
    latencies: dict[Churn, list[float]] = {}
    log = blobs = 0.0
    for churn in (first, second):
        latencies[churn] = churn.run(number)
        if churn is compacting:
            log, blobs = churn.space("log"), churn.space("blobs")
        churn.settle()
    (p50, p99), (_, quiet_p99) = latencies[compacting], latencies[quiet]
    return Round(compacting.live(), log, blobs, compacting.space("log"), quiet.space("log"), p50, p99, quiet_p99)


def line(number: int, of: Round) -> str:
    return (
        f"{number + 1:<6}{of.live:>9.0f}{of.log:>7.0f}{of.blobs:>7.0f}{of.times:>7.2f}{of.at_rest:>9.0f}"
        f"{of.quiet_log:>11.0f}{of.p50:>9.2f}{of.p99:>9.2f}{of.quiet_p99:>11.2f}{of.p99 / of.quiet_p99:>7.2f}"
    )


def summary(rounds: Sequence[Round]) -> str:
    """The worst of the space, the median of the ratios: a single round's p99 has the machine's moods in it."""
    times, ratio = max(each.times for each in rounds), median(each.p99 / each.quiet_p99 for each in rounds)
    missed = " MISSED" if times > SPACE or ratio > SLOWER else ""
    return (
        f"space beyond {FLOOR} MiB: at most {times:.2f} times the live bytes (wanted {SPACE:.0f}); "
        f"p99 of a PUT: {ratio:.2f} times the quiet one (wanted {SLOWER:.0f}){missed}"
    )


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round, at each server")
    parser.add_argument("--rate", type=float, default=600, help="small PUTs a second; as many of the others at most")
    parser.add_argument("--keys", type=int, default=8000, help="small ones that are overwritten")
    parser.add_argument("--connections", type=int, default=16, help="of each kind")
    server_options(parser)
    parser.add_argument("--compaction-rate", type=int, default=16, help="as the server's option")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    return parser


if __name__ == "__main__":
    main()
