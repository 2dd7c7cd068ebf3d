"""`ducket db migrate status|up`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gateway.cli.catalog import as_json, reached
from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.table import table
from gateway.supervisor import holder

if TYPE_CHECKING:
    from catalog.database.migrating import Step


def add(commands: Commands) -> None:
    group = commands.add_parser("migrate", help="bring the database to the schema of this version")
    actions = group.add_subparsers(metavar="ACTION", required=True)
    status = actions.add_parser("status", help="the migrations that the database had, and those it lacks")
    status.add_argument("--json", action="store_true", help="write JSON")
    up = actions.add_parser("up", help="run those it lacks, once a copy of the database is kept")
    up.add_argument("--dry-run", action="store_true", help="on a copy that is removed again")
    for command, run in ((status, run_status), (up, run_up)):
        command.set_defaults(run=run)
        add_settings(command, only=["data"])


def run_status(given: argparse.Namespace) -> None:
    from catalog.database.migrating import newest, steps

    data, ours = settings_of(given).data, newest()
    if holder(data) is not None:
        version = served(given)
        found, lacking = [], ours - version
    else:
        found = steps(data)
        version = max(step.version for step in found if step.applied is not None)
        lacking = sum(step.applied is None for step in found)
    if given.json:
        told = {"version": version, "known": ours, "lacking": lacking}
        print(as_json({**told, "migrations": [step.__dict__ for step in found]}))
        return
    if found:
        print(table(("version", "migration", "applied"), [row(step) for step in found]) + "\n")
    print(f"the database has schema version {version}; this version of Ducket knows {ours}")
    if version > ours:
        print("it was written by a newer Ducket, which alone can serve it: run that one, or restore a backup")
    elif lacking:
        do = "the next start runs them" if found else "stop the server; the next start runs them"
        print(f"{lacking} migrations are lacking: {do}, or `ducket db migrate up`, which keeps a copy before")


def run_up(given: argparse.Namespace) -> None:
    from catalog.database.migrating import bring_up, newest, try_out

    data = settings_of(given).data
    if holder(data) is not None:
        if served(given) == newest():
            print("nothing is lacking")
            return
        raise CommandError("stop the server first: it has the database open, as of another version of Ducket")
    try:
        done = (try_out if given.dry_run else bring_up)(data)
    except OSError as problem:
        raise CommandError(f"nothing was changed: {problem}") from None
    if not done.ran:
        print("nothing is lacking")
        return
    print(table(("version", "migration", "seconds"), [(r.version, r.name, f"{r.seconds:.2f}") for r in done.ran]))
    if done.kept is None:
        print("tried on a copy: the database is as it was")
    else:
        print(f"the database as it was is kept in {done.kept}: remove it when it is not wanted any more")


def served(given: argparse.Namespace) -> int:
    with reached(given) as catalog:
        return catalog.schema().version


def row(step: Step) -> tuple[object, ...]:
    return step.version, step.name, "lacking" if step.applied is None else step.applied
