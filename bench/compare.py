"""Measures any S3 endpoints side by side: `python -m bench.compare NAME=http://ACCESS:SECRET@HOST:PORT …`."""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Sequence
from urllib.parse import parse_qs, unquote, urlsplit

from bench import report, servers
from bench.batches import Tree
from bench.rows import Row, chosen
from bench.run import common_options, finish
from bench.targets import Endpoint, S3Target


def main() -> None:
    options = parser().parse_args()
    rows = chosen(options.rows, options.every)
    targets = [S3Target(endpoint, options.bucket, Tree(options.keys)) for endpoint in options.endpoints]
    names = [target.name for target in targets]
    if len(set(names)) < len(names):
        raise SystemExit(f"two endpoints of one name: {', '.join(names)}")
    if options.cores:
        os.sched_setaffinity(0, options.cores)
    with servers.alone():
        results = compared(targets, rows, options)
    finish(results, options)


def compared(targets: Sequence[S3Target], rows: Sequence[Row], options: argparse.Namespace) -> list[report.Result]:
    results = []
    for target in targets:
        target.prepare(rows)
    print(report.heading([target.name for target in targets], reach=False, cpu=False))
    for row in rows:
        results.append(report.measure(row, targets, options.rounds, options.seconds))
        print(report.line(results[-1], reach=False, cpu=False), flush=True)
    for target in targets:
        target.empty()
    return results


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoints", nargs="+", type=endpoint, metavar="ENDPOINT", help=endpoint.__doc__)
    common_options(parser)
    parser.add_argument("--bucket", default=f"bench-{secrets.token_hex(4)}", help="made, filled and removed")
    parser.add_argument("--cores", type=_cores, help="of the load: 1 or 2,3")
    return parser


def endpoint(text: str) -> Endpoint:
    """[NAME=]http://[ACCESS:SECRET@]HOST:PORT[?region=R]; else keys as in AWS's environment variables"""
    name, found, address = text.partition("=http://")
    parts = urlsplit(f"http://{address}" if found else text)
    access = parts.username or os.environ.get("AWS_ACCESS_KEY_ID")
    secret = parts.password or os.environ.get("AWS_SECRET_ACCESS_KEY")
    if parts.scheme != "http" or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not an http address: TLS would measure TLS")
    if not access or not secret:
        raise argparse.ArgumentTypeError(f"{text!r} has no keys, and neither has the environment")
    region = parse_qs(parts.query).get("region", ["us-east-1"])[0]
    port = parts.port or 80
    return Endpoint(
        name if found else f"{parts.hostname}:{port}",
        parts.hostname,
        port,
        unquote(access),
        unquote(secret),
        region,
    )


def _cores(text: str) -> Sequence[int]:
    return [int(core) for core in text.split(",")]


if __name__ == "__main__":
    main()
