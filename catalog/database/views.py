"""The views there are: ours, and the operator's own, which may be materialised: rows stored until the next refresh.

Stored rows are of all buckets, so they are for root. For others the query of the view runs, and sees what they may see.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime

import duckdb

from catalog.database.frames import View
from catalog.database.guard import TABLE_FUNCTIONS, check
from catalog.database.registry import MACROS, VIEWS, parse
from catalog.database.tables import views as table
from catalog.database.transaction import transaction
from catalog.errors import QueryFailed, QueryRefused

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_QUERY = re.compile(r"\s*(\(|SELECT|FROM|WITH|VALUES|TABLE)", re.IGNORECASE)

log = logging.getLogger(__name__)


def every(connection: duckdb.DuckDBPyConnection) -> list[View]:
    """Ours by name, then the macros, then the operator's own."""
    ours = [View(each.name, "view", each.description, each.body) for each in VIEWS.values()]
    macros = [View(each.name, "macro", each.description, each.body) for each in MACROS.values()]
    return [*ours, *macros, *map(_described, table.every(connection))]


def define_own(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the operator's views; one that does not fit the tables of this version any more is left out, and told of."""
    for row in table.every(connection):
        try:
            _define(connection, row)
        except duckdb.Error as problem:
            log.warning("the view %s cannot be made: %s", row.name, problem)


def change(connection: duckdb.DuckDBPyConnection, action: str, name: str, text: str = "") -> None:
    """Do one of add, remove, materialise and refresh, all or nothing. Raises QueryRefused and QueryFailed."""
    act = _ACTIONS.get(action)
    if act is None:
        raise QueryRefused(f"a view can be changed by {', '.join(_ACTIONS)}, not by {action}")
    try:
        with transaction(connection):
            act(connection, name, text)
    except duckdb.Error as problem:
        raise QueryFailed(str(problem)) from None


def _add(connection: duckdb.DuckDBPyConnection, name: str, text: str) -> None:
    shown = parse(name, text)
    if not _NAME.fullmatch(name):
        raise QueryRefused("a view's name is 1 to 63 small letters, digits and _, a letter first")
    if name in VIEWS or name in TABLE_FUNCTIONS:
        raise QueryRefused(f"{name} is a view or function already")
    if not _QUERY.match(shown.body):
        raise QueryRefused("a view is a query: SELECT …")
    row = table.Row(name, shown.description, check(connection, shown.body).rstrip().rstrip(";"), None)
    if table.find(connection, name) is not None:
        _remove(connection, name, "")
    _define(connection, row)
    table.add(connection, row)


def _remove(connection: duckdb.DuckDBPyConnection, name: str, text: str) -> None:
    _known(connection, name)
    connection.execute(f"DROP VIEW IF EXISTS main.{name}; DROP TABLE IF EXISTS materialised.{name}")
    table.remove(connection, name)


def _refresh(connection: duckdb.DuckDBPyConnection, name: str, text: str) -> None:
    row = _known(connection, name)
    if row.refreshed is None:
        raise QueryRefused(f"{name} is not materialised")
    _materialise(connection, name, text)


def _materialise(connection: duckdb.DuckDBPyConnection, name: str, text: str) -> None:
    row = _known(connection, name)
    connection.execute(f"CREATE OR REPLACE TABLE materialised.{name} AS {row.statement}")
    stored = table.Row(name, row.description, row.statement, datetime.now(UTC).replace(tzinfo=None))
    table.remove(connection, name)
    table.add(connection, stored)
    _define(connection, stored)


def _known(connection: duckdb.DuckDBPyConnection, name: str) -> table.Row:
    row = table.find(connection, name)
    if row is None:
        raise QueryRefused(f"there is no view {name} of your own")
    return row


def _define(connection: duckdb.DuckDBPyConnection, row: table.Row) -> None:
    query = f"FROM ({row.statement}\n)"
    if row.refreshed is not None:
        stored = f"FROM materialised.{row.name} WHERE getvariable('sees_all')"
        query = f"{stored} UNION ALL {query} WHERE NOT getvariable('sees_all')"
    connection.execute(f"CREATE OR REPLACE SECURE VIEW main.{row.name} AS {query}")


def _described(row: table.Row) -> View:
    kind = "own" if row.refreshed is None else "materialised"
    refreshed = None if row.refreshed is None else row.refreshed.isoformat(sep=" ", timespec="seconds")
    return View(row.name, kind, row.description, row.statement, refreshed)


_ACTIONS = {"add": _add, "remove": _remove, "materialise": _materialise, "refresh": _refresh}
