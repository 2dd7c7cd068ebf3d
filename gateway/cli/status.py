"""`ducket status`."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gateway.cli.options import Commands, add_settings, settings_of
from gateway.cli.table import table
from gateway.lifecycle.report import last as last_run
from gateway.notifications.progress import load
from gateway.scrub.report import BACKGROUND, FILE, condition, last
from gateway.supervisor import holder

Rows = Iterator[tuple[str, object]]


def add(commands: Commands) -> None:
    command = commands.add_parser("status", help="what runs on a data folder, and what is in it")
    add_settings(command, only=["data"])
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    data = settings_of(given).data
    rows = [*server(data), *scrubs(data), *lifecycle(data), *notifications(data), *catalog(data), *space(data)]
    print(table(("what", "state"), [(name, str(state)) for name, state in rows]))


def server(data: Path) -> Rows:
    held = holder(data)
    if held is None:
        yield "server", "not running"
    elif not held:
        yield "server", "starting"
    else:
        since = datetime.fromtimestamp(held["started"], UTC).isoformat(sep=" ", timespec="seconds")
        yield "server", f"running at {held['address']} as process {held['pid']} since {since}"


def scrubs(data: Path) -> Rows:
    for name, file in (("scrub", FILE), ("scrub of the server", BACKGROUND)):
        report = last(data, file)
        if report is not None:
            at = report.finished or report.started
            when = datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="seconds")
            what = f"through at {when}" if report.finished else f"begun at {when}, at {report.at_bucket or 'the end'}"
            yield name, f"{what}: {report.bodies:,} bodies, {size(report.bytes)}, {report.wrong:,} wrong"
    found = condition(data)
    if found.degraded is not None:
        yield "degraded", found.degraded
    for each in found.named:
        yield "damaged", each


def lifecycle(data: Path) -> Rows:
    report = last_run(data)
    if report is not None:
        yield "lifecycle", f"{report.when}: {report.text}"


def notifications(data: Path) -> Rows:
    for name, told in sorted(load(data).items()):
        failing = f", failing: {told.error}" if told.failures else ""
        yield f"notifications to {name}", f"up to sequence number {told.delivered}{failing}"


def catalog(data: Path) -> Rows:
    from catalog.database.client import status, sync

    found = status(data)
    log = found.end
    yield "log", f"sequence number {log.seq}, in segment {log.segment} at byte {log.offset}"
    yield "index", f"sequence number {log.seq}"
    behind = log.seq - found.applied.seq
    yield "database", f"sequence number {found.applied.seq}" + (f", {behind} behind" if behind else "")
    if found.problem:
        yield "problem", found.problem
    else:
        sync(data)
        found = status(data)
    for name, count in found.rows.items():
        yield name, f"{count:,}"


def space(data: Path) -> Rows:
    for name in ("log", "blobs", "index", "tmp"):
        yield f"{name}/", size(sum(map(allocated, files(data / name))))
    yield "catalog.duckdb", size(sum(map(allocated, data.glob("catalog.duckdb*"))))
    yield "free on the disk", size(shutil.disk_usage(data).free)


def files(folder: Path) -> Iterator[Path]:
    for path, _, names in os.walk(folder):
        yield from (Path(path, name) for name in names)


def allocated(path: Path) -> int:
    """What it takes on the disk: the files of log and index have holes."""
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:  # gone meanwhile
        return 0


def size(count: int) -> str:
    amount, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
