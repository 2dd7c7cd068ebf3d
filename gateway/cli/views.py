"""`ducket view list|describe|add|remove|materialise|refresh`: what can be asked by name."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.table import table

SHORT = 60  # characters of a description in the list


def add(commands: Commands) -> None:
    group = commands.add_parser("view", help="list and describe the views, and keep your own")
    actions = group.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the views and macros there are")
    listing.set_defaults(run=run_list)
    describe = actions.add_parser("describe", help="what a view is for, its columns and its SQL")
    adding = actions.add_parser("add", help="keep a query under a name; what was under it is replaced")
    adding.add_argument("name", metavar="NAME")
    adding.add_argument(
        "file", metavar="FILE", nargs="?", type=Path, help="the query, behind comments that say what it is for"
    )
    adding.set_defaults(run=run_add)
    describe.set_defaults(run=run_describe)
    remove = actions.add_parser("remove", help="forget a view of your own")
    materialise = actions.add_parser("materialise", help="store the rows of a view of your own")
    refresh = actions.add_parser("refresh", help="store the rows of a materialised view anew")
    for action, command in (("remove", remove), ("materialise", materialise), ("refresh", refresh)):
        command.set_defaults(run=run_change, action=action)
    for command in (describe, remove, materialise, refresh):
        command.add_argument("name", metavar="NAME")
    for command in (listing, describe, adding, remove, materialise, refresh):
        add_settings(command, only=["data"])


def run_list(given: argparse.Namespace) -> None:
    from catalog.database.client import reach

    with reach(settings_of(given).data) as catalog:
        found = catalog.views()
    rows = [
        (view.name, view.kind, view.refreshed or "", view.description[:SHORT] + "…" * (len(view.description) > SHORT))
        for view in found
    ]
    print(table(("name", "kind", "refreshed", "what it is for"), rows))


def run_describe(given: argparse.Namespace) -> None:
    from catalog.database.client import fetch, reach
    from catalog.database.frames import Sql

    told = []
    with reach(settings_of(given).data) as catalog:
        for found in catalog.views():
            if found.name == given.name:  # a view and a macro may have one name
                told.append(found.description)
                if found.kind != "macro":
                    columns = fetch(catalog, Sql(f"DESCRIBE {given.name}")).rows
                    told.append(table(("column", "type"), [row[:2] for row in columns]))
                told.append(found.statement)
    if not told:
        raise CommandError(f"there is no view {given.name}")
    print("\n\n".join(told))


def run_add(given: argparse.Namespace) -> None:
    try:
        text = sys.stdin.read() if given.file is None else given.file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{given.file}: {error}") from None
    change(given, "add", text)


def run_change(given: argparse.Namespace) -> None:
    change(given, given.action, "")


def change(given: argparse.Namespace, action: str, text: str) -> None:
    from catalog.database.client import reach

    with reach(settings_of(given).data) as catalog:
        catalog.change_view(action, given.name, text)
