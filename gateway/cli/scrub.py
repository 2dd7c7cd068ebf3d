"""`ducket scrub`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import msgspec

from catalog.errors import NoBucket
from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.status import size
from gateway.cli.table import cell
from gateway.cli.users import opened
from gateway.encryption import keyring
from gateway.scrub.report import Report, last
from gateway.settings import Settings

WIDTH = 30  # of the bar


def add(commands: Commands) -> None:
    command = commands.add_parser("scrub", help="read every body and check it; exit status 1 if anything is wrong")
    command.add_argument("--bucket", metavar="B", default="", help="only this one")
    command.add_argument("--rate", type=float, default=0.0, metavar="MB/s", help="read no faster (default: no limit)")
    command.add_argument("--resume", action="store_true", help="go on where a scrub was broken off")
    command.add_argument("--repair", action="store_true", help="put right what can be put right")
    command.add_argument(
        "--from", type=Path, dest="backup", metavar="BACKUP", help="take lost bodies from what `ducket backup` wrote"
    )
    command.add_argument("--json", action="store_true", help="print the report as JSON")
    add_settings(command, only=["data"])
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    settings = settings_of(given)
    if not (settings.data / "log").exists():
        raise CommandError(f"there is no catalog in {settings.data}")
    if given.backup is not None and not (given.repair and (given.backup / "blobs").is_dir()):
        raise CommandError("--from names a backup for --repair to take bodies from")
    earlier = last(settings.data) if given.resume else None
    if given.resume and (earlier is None or earlier.finished or earlier.only != given.bucket):
        raise CommandError("there is no such scrub that was broken off")
    report = earlier or Report.begun(settings.data, given.bucket)
    try:
        scrub(settings, report, given)
    except NoBucket:
        raise CommandError(f"there is no bucket {given.bucket}") from None
    print(msgspec.json.encode(report).decode() if given.json else text(report))
    return 1 if report.wrong else 0


def scrub(settings: Settings, report: Report, given: argparse.Namespace) -> None:
    # They bring DuckDB along, which the other commands need not wait for.
    from gateway.scrub.accord import reconcile
    from gateway.scrub.run import Scrub

    if given.repair:
        reconcile(settings.data, report)
    shown = Progress(report)
    with opened(settings) as catalog:
        try:
            keys = keyring(settings)
            Scrub(catalog, settings.data, report, given.rate * 1e6, shown, given.repair, given.backup, keys=keys).run()
        except KeyboardInterrupt:
            shown.end()
            print("broken off: --resume goes on here", file=sys.stderr)
            raise
    shown.end()


def text(report: Report) -> str:
    lines = []
    for found in report.findings:
        version = f" version {found.version_id}" if found.version_id else ""
        upload = f" upload {found.upload_id}" if found.upload_id else ""
        part = f" part {found.part}" if found.part else ""
        where = f"{found.bucket}/{cell(found.key)}{version}{upload}{part}: " if found.bucket else ""
        lines.append(f"{found.kind}: {where}{found.detail}")
    repaired = len(report.findings) - report.wrong
    wrong = f"{report.wrong:,} wrong" if report.wrong else "nothing wrong"
    mended = f", {repaired:,} repaired" if repaired else ""
    return "\n".join([*lines, f"{report.bodies:,} bodies, {size(report.bytes)}: {wrong}{mended}"])


class Progress:
    """A bar at the terminal, twice a second; nothing where there is none."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._wanted = sys.stderr.isatty()
        self._next = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if self._wanted and now >= self._next:
            self._next = now + 0.5
            print(f"\r\x1b[K{bar(self._report)}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._wanted:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def bar(report: Report) -> str:
    """What is written to while it runs may come to more than there was at the beginning."""
    done = min(1.0, report.bytes / report.expected) if report.expected else 0.0
    shown = "#" * round(done * WIDTH)
    said = f"{report.bodies:,} bodies, {size(report.bytes)}, {report.wrong:,} wrong, at {report.at_bucket}"
    return f"[{shown:{WIDTH}}] {done:4.0%} {said}"
