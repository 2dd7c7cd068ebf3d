"""`ducket scrub`."""

from __future__ import annotations

import argparse
import sys
import time

import msgspec

from catalog.errors import NoBucket
from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.status import size
from gateway.cli.table import cell
from gateway.cli.users import opened
from gateway.scrub.report import Report, last


def add(commands: Commands) -> None:
    command = commands.add_parser("scrub", help="read every body and check it; exit status 1 if anything is wrong")
    command.add_argument("--bucket", metavar="B", default="", help="only this one")
    command.add_argument("--rate", type=float, default=0.0, metavar="MB/s", help="read no faster (default: no limit)")
    command.add_argument("--resume", action="store_true", help="go on where a scrub was broken off")
    command.add_argument("--json", action="store_true", help="print the report as JSON")
    add_settings(command, only=["data"])
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    # It brings DuckDB along, which the other commands need not wait for.
    from gateway.scrub.run import Scrub

    settings = settings_of(given)
    if not (settings.data / "log").exists():
        raise CommandError(f"there is no catalog in {settings.data}")
    earlier = last(settings.data) if given.resume else None
    if given.resume and (earlier is None or earlier.finished or earlier.only != given.bucket):
        raise CommandError("there is no such scrub that was broken off")
    report = earlier or Report(time.time(), given.bucket)
    shown = Progress(report)
    with opened(settings) as catalog:
        try:
            Scrub(catalog, settings.data, report, given.rate * 1e6, shown).run()
        except NoBucket:
            raise CommandError(f"there is no bucket {given.bucket}") from None
        except KeyboardInterrupt:
            shown.end()
            print("broken off: --resume goes on here", file=sys.stderr)
            raise
    shown.end()
    print(msgspec.json.encode(report).decode() if given.json else text(report))
    return 1 if report.wrong else 0


def text(report: Report) -> str:
    lines = []
    for found in report.findings:
        version = f" version {found.version_id}" if found.version_id else ""
        upload = f" upload {found.upload_id}" if found.upload_id else ""
        part = f" part {found.part}" if found.part else ""
        where = f"{found.bucket}/{cell(found.key)}{version}{upload}{part}: " if found.bucket else ""
        lines.append(f"{found.kind}: {where}{found.detail}")
    wrong = f"{report.wrong:,} wrong" if report.wrong else "nothing wrong"
    return "\n".join([*lines, f"{report.bodies:,} bodies, {size(report.bytes)}: {wrong}"])


class Progress:
    """A line at the terminal, twice a second; nothing where there is none."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._wanted = sys.stderr.isatty()
        self._next = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if self._wanted and now >= self._next:
            self._next = now + 0.5
            report = self._report
            said = f"{report.bodies:,} bodies, {size(report.bytes)}, {report.wrong:,} wrong, at {report.at_bucket}"
            print(f"\r\x1b[K{said}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._wanted:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
