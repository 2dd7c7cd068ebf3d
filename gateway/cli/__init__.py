"""The `ducket` command: one file for each group of commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from catalog.errors import CatalogError, StorageFull
from gateway.cli import (
    backup,
    catalog,
    db,
    doctor,
    lifecycle,
    notifications,
    points,
    scrub,
    serve,
    sql,
    status,
    users,
    views,
)
from gateway.cli.options import CommandError
from gateway.settings import SettingsError

GROUPS = (serve, users, status, sql, views, catalog, points, db, scrub, lifecycle, notifications, backup, doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    # Bodies and secret keys are for the user only that the server runs as.
    os.umask(0o077)
    try:
        result = given.run(given)
    except (SettingsError, CommandError) as error:
        return fail(str(error))
    except StorageFull as error:
        return fail(f"{error.path}: no room on the disk")
    except CatalogError as error:
        return fail(getattr(error, "why", repr(error)))
    except BrokenPipeError:
        # Whoever reads the output has had enough; Python would write what is left once more, at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return int(result or 0)


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="ducket", description="An S3 endpoint that is also a database about itself.")
    whole.add_argument("--version", action="version", version=f"ducket {installed_version()}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in GROUPS:
        group.add(commands)
    return whole


def installed_version() -> str:
    try:
        return version("ducket")
    except PackageNotFoundError:  # run from a checkout
        return "(not installed)"


def fail(message: str) -> int:
    print(f"ducket: {message}", file=sys.stderr)
    return 1
