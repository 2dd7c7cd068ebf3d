"""The operator's own views."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import duckdb


class Row(NamedTuple):
    name: str
    description: str
    statement: str
    refreshed: datetime | None


def every(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """In the order in which they were added, so that each comes behind those it reads."""
    found = connection.execute("SELECT name, description, statement, refreshed FROM private.views ORDER BY rowid")
    return [Row(*row) for row in found.fetchall()]


def names(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM private.views").fetchall()}


def find(connection: duckdb.DuckDBPyConnection, name: str) -> Row | None:
    return next((row for row in every(connection) if row.name == name), None)


def add(connection: duckdb.DuckDBPyConnection, row: Row) -> None:
    connection.execute("INSERT INTO private.views VALUES (?, ?, ?, ?)", list(row))


def remove(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute("DELETE FROM private.views WHERE name = ?", [name])
