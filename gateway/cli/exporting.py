"""`ducket db export` and `ducket db import`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from catalog.errors import NoBucket
from gateway.cli.catalog import as_json, reached
from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.table import cell, table
from gateway.encryption import keyring
from gateway.publishing import NotEmpty, publish

if TYPE_CHECKING:
    from catalog.importing import Imported

WHOLE = "_SUCCESS"  # as Hadoop's writers name it: put last, it says that all is there
SHOWN = 20  # of what is missing; --json has all


def add(commands: Commands) -> None:
    export = commands.add_parser("export", help="write the catalog as Parquet files")
    export.add_argument("target", metavar="FOLDER", nargs="?", type=Path, help="made by this, whole or not at all")
    export.add_argument("--to", metavar="s3://BUCKET/PREFIX", help="in its place: into a bucket of this server")
    export.add_argument("--bucket", metavar="B", help="one bucket only")
    export.add_argument("--inventory", action="store_true", help="of the bucket, in the form of S3 Inventory")
    export.add_argument("--current", action="store_true", help="of current objects, not of all versions")
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
    _check(given)
    if given.to is not None:
        _export_to_bucket(given)
    elif given.inventory:
        from catalog.queries import new_folder

        with new_folder(given.target) as folder:
            _write_inventory(given, folder)
    else:
        _write_export(given, given.target)


def _check(given: argparse.Namespace) -> None:
    if (given.target is None) == (given.to is None):
        raise CommandError("name a FOLDER, or a bucket: --to s3://BUCKET/PREFIX")
    if given.inventory and given.bucket is None:
        raise CommandError("an inventory is of a bucket: --bucket B")
    if given.current and not given.inventory:
        raise CommandError("--current is for an inventory")
    if given.secrets and (given.bucket is not None or given.to is not None):
        raise CommandError("--secrets is for an export of the whole catalog into a folder")


def _export_to_bucket(given: argparse.Namespace) -> None:
    """Written to a folder first, then put into the bucket: what says that all is there comes last."""
    bucket, prefix = destination(given.to)
    with TemporaryDirectory(prefix="ducket-") as scratch:
        folder = Path(scratch, "export")
        files = _write_inventory(given, folder) if given.inventory else _write_export(given, folder)
        settings = settings_of(given)
        alone = not given.inventory
        try:
            asyncio.run(publish(settings.data, bucket, prefix, folder, files, alone, keyring(settings)))
        except NoBucket:
            raise CommandError(f"there is no bucket {bucket}") from None
        except NotEmpty:
            raise CommandError(f"there are objects in {given.to} already: name a new prefix") from None


def _write_inventory(given: argparse.Namespace, folder: Path) -> Sequence[str]:
    from catalog.queries import write_inventory

    where = given.target.absolute().as_uri() if given.to is None else given.to.rstrip("/")
    with reached(given) as catalog:
        inventory = write_inventory(catalog, given.bucket, folder, where, given.current)
    print(f"{inventory.rows:,} rows: {where}/{inventory.files[-2]}")
    return inventory.files


def _write_export(given: argparse.Namespace, folder: Path) -> Sequence[str]:
    from catalog.queries import export

    with reached(given) as catalog:
        rows = export(catalog, folder, given.bucket, given.secrets)
    print(table(("view", "rows"), list(rows.items())))
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    if given.to is None:
        return files
    (folder / WHOLE).touch()
    return [*files, WHOLE]


def destination(uri: str) -> tuple[str, str]:
    """The bucket, and what keys in it begin with."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise CommandError(f"{uri} is not of the form s3://BUCKET/PREFIX")
    prefix = prefix.rstrip("/")
    return bucket, f"{prefix}/" if prefix else ""


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
