"""`ducket lifecycle`: lifecycle rules carried out by hand, and what the last run came to."""

from __future__ import annotations

import argparse
import asyncio
import threading
import time
from pathlib import Path

import msgspec

from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.status import size
from gateway.lifecycle.report import Report, last
from gateway.settings import Settings


def add(commands: Commands) -> None:
    group = commands.add_parser("lifecycle", help="remove what lifecycle rules say is due; what the last run came to")
    actions = group.add_subparsers(metavar="ACTION", required=True)
    run = actions.add_parser("run", help="carry out the rules of all buckets, now")
    run.add_argument("--dry-run", action="store_true", help="count what is due, and change nothing")
    run.set_defaults(run=run_now)
    status = actions.add_parser("status", help="what the last run came to")
    status.set_defaults(run=run_status)
    for command, only in ((run, ["data", "lifecycle_rate", "lifecycle_day"]), (status, ["data"])):
        command.add_argument("--json", action="store_true", help="print the report as JSON")
        add_settings(command, only=only)


def run_now(given: argparse.Namespace) -> None:
    settings = settings_of(given)
    if not (settings.data / "log").exists():
        raise CommandError(f"there is no catalog in {settings.data}")
    show(given, asyncio.run(carried_out(settings, not given.dry_run)))


async def carried_out(settings: Settings, removing: bool) -> Report:
    from gateway.lifecycle.background import carry_out  # it brings DuckDB along, which status need not wait for

    report = Report(time.time())
    rate, day = settings.lifecycle_rate, settings.lifecycle_day
    return await carry_out(settings.data, report, rate, day, threading.Event(), removing)


def run_status(given: argparse.Namespace) -> None:
    data: Path = settings_of(given).data
    report = last(data)
    if report is None:
        raise CommandError(f"no lifecycle rules were carried out in {data} yet")
    show(given, report)


def show(given: argparse.Namespace, report: Report) -> None:
    if given.json:
        print(msgspec.json.encode(report).decode())
    else:
        print(f"{report.when}: {report.text}; {report.buckets:,} buckets with rules, {size(report.bytes)}")
