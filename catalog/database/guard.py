"""What SQL may do: one statement, a query, over the public views. Decided on DuckDB's own parse, before anything runs.

DuckDB has no users and no grants, so that a query could name a private table, and with it the users' secrets. What is
allowed is listed; all else is refused. A read-only transaction and locked settings stand behind this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import duckdb
import msgspec

from catalog.database.registry import MACROS, VIEWS
from catalog.database.tables.views import names as views_of
from catalog.errors import QueryFailed, QueryRefused

MAX_LENGTH = 1024 * 1024
TABLE_FUNCTIONS = frozenset({"generate_series", "json_each", "json_tree", "range", "unnest", *MACROS})
# Functions with effects beyond their result, and those that show settings, definitions, a plan over private tables, or
# what else goes on in the server.
REFUSED_FUNCTIONS = frozenset(
    {
        "current_connection_id",
        "current_query",
        "current_query_id",
        "current_setting",
        "current_transaction_id",
        "currval",
        "get_block_size",
        "getvariable",
        "json_serialize_plan",
        "nextval",
        "pg_get_constraintdef",
        "pg_get_viewdef",
        "setseed",
        "setval",
        "sleep_ms",
        "stats",
        "txid_current",
        "write_log",
    }
)
_NO_TABLES = ("BOUND_TABLE_REF", "COLUMN_DATA", "DELIM_GET")
_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(ANALYZE\s+|\(ANALYZE, FORMAT JSON\)\s+)?", re.IGNORECASE)

_decode = msgspec.json.Decoder().decode


def check(connection: duckdb.DuckDBPyConnection, statement: str, whole: bool = True) -> str:
    """The statement as it may be run. Raises QueryRefused, and QueryFailed where it cannot be parsed.

    Who does not see the `whole` catalog gets no plans: they tell how many rows there are of others.
    """
    if len(statement) > MAX_LENGTH:
        raise QueryRefused(f"the statement is longer than {MAX_LENGTH} characters")
    if "\0" in statement:
        raise QueryRefused("the statement has a NUL character in it")
    query = _single_query(connection, statement)
    explain = _EXPLAIN.match(query)
    if explain is not None and not whole:
        raise QueryRefused("EXPLAIN is for root: a plan tells of rows that are not yours")
    if explain is not None:
        query = query[explain.end() :]
    tree = _parse(connection, query)
    nodes = list(_nodes(tree))
    views = views_of(connection).union(VIEWS)
    given = _names_given(nodes)
    for node in nodes:
        _check_node(node, views, given)
    return query if explain is None else explain.group().strip() + " " + query


def _single_query(connection: duckdb.DuckDBPyConnection, statement: str) -> str:
    try:
        statements = connection.extract_statements(statement)
    except duckdb.Error as problem:
        raise QueryFailed(str(problem)) from None
    if not statements:
        raise QueryRefused("there is no statement")
    if len(statements) != 1:
        raise QueryRefused(f"one statement is run at a time; here are {len(statements)}")
    kind = statements[0].type
    if kind not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise QueryRefused(f"the catalog is read only: {kind.name} is not a query")
    return str(statements[0].query)


def _parse(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    try:
        ((text,),) = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
        tree = _decode(text)
    except (duckdb.Error, msgspec.DecodeError, RecursionError) as problem:
        raise QueryRefused(f"the statement cannot be checked: {problem}") from None
    if tree.get("error", True) or len(tree["statements"]) != 1:
        raise QueryRefused("the catalog is read only: only SELECT, and EXPLAIN of it, can be run")
    assert isinstance(tree, dict)
    return tree


def _nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of the parse, without recursion: a statement may be deeper than Python's stack."""
    todo: list[Any] = [tree]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            yield value
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def _names_given(nodes: list[dict[str, Any]]) -> set[str]:
    """The names of common table expressions."""
    maps = [node["cte_map"].get("map", ()) for node in nodes if isinstance(node.get("cte_map"), dict)]
    return {entry["key"].lower() for entries in maps for entry in entries}


def _check_node(node: dict[str, Any], views: set[str], given: set[str]) -> None:
    kind = node.get("type")
    if kind == "BASE_TABLE":
        _check_table(_path(node), views, given)
    elif kind == "TABLE_FUNCTION":
        name = _path(node["function"])[-1]
        if name not in TABLE_FUNCTIONS:
            raise QueryRefused(f"the table function {name} is not for queries; there are {_list(TABLE_FUNCTIONS)}")
    elif kind == "SHOW_REF":
        if not node.get("query") and node.get("table_name", "").strip('"').lower() not in ("tables", *views):
            raise QueryRefused("of SHOW there is SHOW TABLES, and DESCRIBE and SUMMARIZE of a table or query")
    elif kind in _NO_TABLES:
        raise QueryRefused("the statement reads from what is no table")
    elif node.get("class") in ("FUNCTION", "WINDOW") and _path(node)[-1] in REFUSED_FUNCTIONS:
        raise QueryRefused(f"the function {_path(node)[-1]} is not for queries")


def _check_table(path: list[str], views: set[str], given: set[str]) -> None:
    public = len(path) == 1 and (path[0] in views or path[0] in given)
    qualified = len(path) == 2 and path[0] == "main" and path[1] in views
    if not public and not qualified:
        raise QueryRefused(f"there is no table {'.'.join(path)}; there are {_list(views)}")


def _path(node: dict[str, Any]) -> list[str]:
    return [name.lower() for name in node["qualified_name"]["path"]]


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
