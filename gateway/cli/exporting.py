"""`ducket db export` and `ducket db import`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.catalog import as_json, reached
from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.table import cell, table

if TYPE_CHECKING:
    from catalog.importing import Imported

SHOWN = 20  # of what is missing; --json has all


def add(commands: Commands) -> None:
    export = commands.add_parser("export", help="write the catalog as Parquet files")
    export.add_argument("target", metavar="FOLDER", type=Path, help="made by this, whole or not at all")
    export.add_argument("--bucket", metavar="B", help="one bucket only")
    export.add_argument("--secrets", action="store_true", help="with the users and their secret keys, for an import")
    restored = commands.add_parser(
        "import", help="make a lost catalog again of an export and the bodies that are there"
    )
    restored.add_argument("export", metavar="FOLDER", type=Path, help="an export of the whole catalog")
    restored.add_argument(
        "--as-of-export", action="store_true", help="where the log does not go on from it, without what is missing"
    )
    restored.add_argument("--json", action="store_true", help="write JSON")
    for command, run in ((export, run_export), (restored, run_import)):
        command.set_defaults(run=run)
        add_settings(command, only=["data"])


def run_export(given: argparse.Namespace) -> None:
    from catalog.queries import export

    if given.secrets and given.bucket is not None:
        raise CommandError("--secrets is for an export of the whole catalog")
    with reached(given) as catalog:
        rows = export(catalog, given.target, given.bucket, given.secrets)
    print(table(("view", "rows"), list(rows.items())))


def run_import(given: argparse.Namespace) -> int:
    from catalog.importing import import_catalog

    data = settings_of(given).data
    try:
        done = import_catalog(given.export, data, given.as_of_export)
    except OSError as error:
        raise CommandError(f"nothing was imported: {error}") from None
    if given.json:
        print(as_json(asdict(done)))
    else:
        show(done, data)
    return int(bool(done.missing))


def show(done: Imported, data: Path) -> None:
    behind = "the log behind it is lost" if done.as_of_export else f"the log goes on to {done.seq}"
    print(f"the export ends with mutation {done.exported}; {behind}")
    print(f"{data} has {done.versions:,} versions and {done.users:,} users besides root")
    if done.unnamed:
        print(f"{done.unnamed:,} large bodies that the export does not name were moved to {data / 'unnamed'}")
    for each in done.missing[:SHOWN]:
        which = f"upload {each.upload_id}" if each.upload_id else f"version {each.version_id}"
        print(f"ducket: missing: {each.bucket}/{cell(each.key)} {which}", file=sys.stderr)
    if done.missing:
        do = "were left out" if done.as_of_export else "are in the catalog yet: restore them from a backup"
        print(f"ducket: the bodies of {len(done.missing):,} are missing; they {do}", file=sys.stderr)
