"""`ducket sql`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from catalog.errors import CatalogError
from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.table import table
from gateway.cli.users import opened
from gateway.settings import Settings

FORMATS = ("table", "csv", "json", "jsonl", "parquet", "arrow")
BINARY = ("parquet", "arrow")
PROMPT, MORE = "ducket> ", "   ...> "
SHOWN = 10_000  # rows of a table, which is laid out whole
ENDS = ("exit", "quit")


def add(commands: Commands) -> None:
    command = commands.add_parser("sql", help="ask the catalog in SQL")
    command.add_argument(
        "statement", metavar="STATEMENT", nargs="?", help="one query, in DuckDB's SQL; else standard input has it"
    )
    command.add_argument("--format", choices=FORMATS, default="table", help="what the result is written as")
    command.add_argument("--output", metavar="FILE", type=Path, help="write the result there")
    command.add_argument("--seconds", type=float, default=0.0, metavar="S", help="give up after these")
    command.add_argument("--user", metavar="NAME", default="root", help="see what this user sees (default: root)")
    add_settings(command, only=["data"])
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Everything that was written before the question is in the answer."""
    settings = settings_of(given)
    owner = owner_of(settings, given.user)

    def answer(statement: str) -> None:
        with target(given.output, given.format) as file:
            write(settings, statement, owner, given, file)

    if given.statement is not None:
        answer(given.statement)
    elif sys.stdin.isatty():
        converse(answer)
    else:
        answer(sys.stdin.read())


def owner_of(settings: Settings, name: str) -> str | None:
    """The id of the user whose buckets are to be seen; root sees all."""
    if name == "root":
        return None
    with opened(settings) as catalog:
        for user in catalog.users():
            if user.name == name:
                return user.id
    raise CommandError(f"there is no user {name}")


@contextmanager
def target(output: Path | None, form: str) -> Iterator[IO[bytes]]:
    """Standard output, or a file, which is not there if it could not be written whole."""
    if output is None:
        if form in BINARY and sys.stdout.isatty():
            raise CommandError(f"{form} is not for a terminal: name a file with --output")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        file = output.open("wb")
    except OSError as error:
        raise CommandError(f"{output}: {error.strerror}") from None
    try:
        with file:
            yield file
    except BaseException:
        if output.is_file():
            output.unlink()
        raise


def write(settings: Settings, statement: str, owner: str | None, given: argparse.Namespace, file: IO[bytes]) -> None:
    # It brings DuckDB along, which the other commands need not wait for.
    from catalog.database import client
    from catalog.database.frames import Sql
    from catalog.database.limits import Limits

    limits = Limits(settings.sql_seconds, settings.sql_rows, settings.sql_memory, settings.sql_threads)
    with client.reach(settings.data, limits) as catalog:
        if given.format != "table":
            client.write(catalog, Sql(statement, given.seconds, owner, given.format), file)
            return
        result = client.fetch(catalog, Sql(statement, given.seconds, owner), most=SHOWN)
    rows = result.rows[:SHOWN]
    count = f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}"
    if len(result.rows) > SHOWN:
        count = f"the first {count}; csv and the other formats have all"
    file.write(f"{table(result.columns, rows)}\n({count})\n".encode())


def converse(answer: Callable[[str], None]) -> None:
    """Statements from the terminal, each up to its semicolon, until its end or one of ENDS."""
    import readline  # noqa: F401  for the history and the keys of `input`

    lines: list[str] = []
    while True:
        try:
            lines.append(input(MORE if lines else PROMPT))
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            lines = []
            continue
        if len(lines) == 1 and lines[0].strip(" ;").lower() in ENDS:
            return
        if lines[-1].rstrip().endswith(";"):
            statement, lines = "\n".join(lines), []
            try_to(answer, statement)


def try_to(answer: Callable[[str], None], statement: str) -> None:
    try:
        answer(statement)
    except KeyboardInterrupt:
        print()
    except (CatalogError, CommandError) as error:
        print(getattr(error, "why", str(error)), file=sys.stderr)
