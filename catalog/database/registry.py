"""The public schema: views and macros, a .sql file each, whose first comment says what it is for.

Views are secure ones: DuckDB shows nothing of what they read from, and a condition of a query is never tried on a row
that its view does not show. Each shows the rows of the buckets that the viewer owns, or all (`see`). Macros read
views only. Beside each stands a plain one, the same but for that: what a join keeps then bounds what is read below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import duckdb

from catalog.database.served import reading

_NO_REQUESTS = reading([])
_HERE = files("catalog.database")


@dataclass(frozen=True)
class Shown:
    """A view or macro: what it is for, and its SQL behind the name."""

    name: str
    description: str
    body: str


def _read(folder: Traversable) -> Iterator[Shown]:
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            yield parse(file.name.removesuffix(".sql"), file.read_text())


def parse(name: str, text: str) -> Shown:
    lines = text.splitlines()
    count = next((at for at, line in enumerate(lines) if not line.startswith("--")), len(lines))
    description = " ".join(line.removeprefix("--").strip() for line in lines[:count])
    return Shown(name, description, "\n".join(lines[count:]).strip())


VIEWS = {view.name: view for view in _read(_HERE.joinpath("views"))}
MACROS = {macro.name: macro for macro in _read(_HERE.joinpath("macros"))}
# In an order in which each finds those it uses.
_MACRO_ORDER = sorted(MACROS, key=lambda name: sum(f"{other}(" in MACROS[name].body for other in MACROS))


def define(connection: duckdb.DuckDBPyConnection) -> None:
    """Views and macros are code, not data: they are what this version says."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS plain")
    for view in VIEWS.values():
        connection.execute(f"CREATE OR REPLACE SECURE VIEW main.{view.name} AS {view.body}")
        connection.execute(f"CREATE OR REPLACE VIEW plain.{view.name} AS {view.body}")
    for name in _MACRO_ORDER:
        connection.execute(f"CREATE OR REPLACE MACRO main.{name}{MACROS[name].body}")


def see(connection: duckdb.DuckDBPyConnection, owner: str | None) -> None:
    """From now on this connection sees what lies in the buckets of a user, by its id, or all for None.

    Of requests that were served it sees none until they are shown to it (`rotation.py`).
    """
    connection.execute("SET VARIABLE requests = ?", [_NO_REQUESTS])
    connection.execute("SET VARIABLE sees_all = ?", [owner is None])
    connection.execute("SET VARIABLE sees = ?", [owner])


def see_plainly(connection: duckdb.DuckDBPyConnection) -> None:
    """From now on the names of our views stand for the plain ones: for who sees all, and asks what we wrote."""
    connection.execute("SET search_path = 'plain,main'")
