"""`ducket sql`."""

from __future__ import annotations

import argparse

from gateway.cli.options import Commands, add_settings, settings_of
from gateway.cli.table import table

SECONDS = 60.0


def add(commands: Commands) -> None:
    command = commands.add_parser("sql", help="ask the catalog in SQL and print a table")
    command.add_argument("statement", metavar="STATEMENT", help="one query, in DuckDB's SQL")
    command.add_argument(
        "--seconds", type=float, default=SECONDS, metavar="S", help=f"give up after these (default: {SECONDS:g})"
    )
    add_settings(command, only=["data"])
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Everything that was written before the question is in the answer."""
    # It brings DuckDB along, which the other commands need not wait for.
    from catalog.database.client import query

    result = query(settings_of(given).data, given.statement, given.seconds)
    print(table(result.columns, result.rows))
    print(f"({len(result.rows)} {'row' if len(result.rows) == 1 else 'rows'})")
