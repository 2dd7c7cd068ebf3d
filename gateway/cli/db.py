"""`ducket db schema|profile|analyze|migrate|checkpoint|export|import`: for those who look after the database."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from gateway.cli import analysis, exporting, migrating
from gateway.cli.catalog import as_json, reached
from gateway.cli.options import Commands, add_settings
from gateway.cli.table import table

if TYPE_CHECKING:
    from catalog.queries import Profile

ABOUT = 70  # characters


def add(commands: Commands) -> None:
    group = commands.add_parser("db", help="look after the database")
    actions = group.add_subparsers(metavar="ACTION", required=True)
    schema = actions.add_parser("schema", help="views, macros and tables, with columns, rows, indexes and sizes")
    schema.add_argument("--markdown", action="store_true", help="write the page of the documentation")
    profile = actions.add_parser("profile", help="where the time of a query goes")
    profile.add_argument("statement", metavar="STATEMENT")
    analyze = actions.add_parser("analyze", help="how tables, caches, index, log and bodies are, and what to do")
    for command in (profile, analyze):
        command.add_argument("--json", action="store_true", help="write JSON")
    migrating.add(actions)
    checkpoint = actions.add_parser("checkpoint", help="take the database's write-ahead log into its file")
    exporting.add(actions)
    runs = (run_schema, run_profile, analysis.run, run_checkpoint)
    for command, run in zip((schema, profile, analyze, checkpoint), runs, strict=True):
        command.set_defaults(run=run)
        add_settings(command, only=["data"])


def run_schema(given: argparse.Namespace) -> None:
    from catalog.queries import as_markdown, get_schema

    with reached(given) as catalog:
        schema = get_schema(catalog)
    if given.markdown:
        print(as_markdown(schema), end="")
        return
    tables = [each for each in schema.tables if each.kind == "table"]
    names = ("private table", "columns", "indexes", "rows", "bytes")
    print(table(names, [(t.name, len(t.columns), t.indexes, t.rows, t.bytes) for t in tables]))
    columns = [(t.name, *column) for t in schema.tables if t.kind == "view" for column in t.columns]
    print("\n" + table(("view", "column", "type"), columns))
    macros = [(each.name, each.description) for each in schema.tables if each.kind == "macro"]
    print("\n" + table(("macro", "what it is for"), macros))


def run_profile(given: argparse.Namespace) -> None:
    from catalog.queries import profile

    with reached(given) as catalog:
        found = profile(catalog, given.statement)
    if given.json:
        print(as_json(asdict(found)))
    else:
        show_profile(found)


def show_profile(found: Profile) -> None:
    spent = sum(operator.seconds for operator in found.operators) or 1.0
    rows = [
        (
            "  " * operator.depth + operator.name,
            f"{operator.seconds * 1000:.1f}",
            f"{operator.seconds / spent:.0%}",
            operator.rows,
            operator.about[:ABOUT],
        )
        for operator in found.operators
    ]
    print(table(("operator", "CPU ms", "share", "rows", "about"), rows))
    print(f"\n{found.seconds * 1000:.1f} ms, {found.planning * 1000:.1f} of them planning; {found.memory:,} bytes held")
    for hint in found.hints:
        print(f"hint: {hint}")


def run_checkpoint(given: argparse.Namespace) -> None:
    with reached(given) as catalog:
        catalog.checkpoint()
