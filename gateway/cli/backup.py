"""`ducket backup` and `ducket restore`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from gateway.blobs.keys import FILE as KEYS
from gateway.blobs.keys import USED as KEYS_USED
from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.users import opened
from gateway.notifications.progress import FILE as NOTIFICATIONS
from gateway.rootkey import FILE as ROOT_KEY


def add(commands: Commands) -> None:
    backup = commands.add_parser("backup", help="take a consistent point of a data folder into another folder")
    backup.add_argument(
        "directory", metavar="DIR", type=Path, help="made if it is not there; only what is new is added"
    )
    backup.set_defaults(run=run_backup)
    restore = commands.add_parser("restore", help="make a data folder of a backup")
    restore.add_argument("backup", metavar="BACKUP", type=Path, help="what `ducket backup` wrote to")
    restore.set_defaults(run=run_restore)
    for command in (backup, restore):
        add_settings(command, only=["data"])


def run_backup(given: argparse.Namespace) -> int:
    from catalog.backup import back_up

    settings = settings_of(given)
    if not (settings.data / "log").exists():
        raise CommandError(f"there is no catalog in {settings.data}")
    with opened(settings) as catalog:
        try:
            point = back_up(catalog, given.directory, [ROOT_KEY, KEYS, KEYS_USED, NOTIFICATIONS])
        except OSError as error:
            raise CommandError(f"the backup was not finished: {error}") from None
    print(f"sequence number {point.end.seq}; {point.blobs:,} large bodies, {point.new_blobs:,} of them new")
    for blob in point.missing:
        print(f"ducket: the data folder has lost the body {blob}: ducket scrub says whose it is", file=sys.stderr)
    return 1 if point.missing else 0


def run_restore(given: argparse.Namespace) -> None:
    from catalog.backup import restore

    data = settings_of(given).data
    try:
        point = restore(given.backup, data)
    except OSError as error:
        raise CommandError(f"nothing was restored: {error}") from None
    taken = datetime.fromtimestamp(point.taken, UTC).isoformat(sep=" ", timespec="seconds")
    print(f"{data} is as of {taken}, sequence number {point.end.seq}")
