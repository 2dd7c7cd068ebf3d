"""The schema, as the database has it and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.database.client import Reached
from catalog.database.frames import Schema, Table

_HEADINGS = {
    "view": ("Views", "For queries. Names, columns and types stay; columns may be added."),
    "macro": ("Macros", "For queries."),
    "table": ("Private tables", "Behind the views, in the schema `private`: not for queries, and may change."),
}


def get_schema(catalog: Reached) -> Schema:
    """Views and macros, and the private tables with their rows, bytes and indexes."""
    catalog.sync()
    return catalog.schema()


def as_markdown(schema: Schema) -> str:
    """What stays the same whatever the catalog holds."""
    return "\n".join(_lines(schema)) + "\n"


def _lines(schema: Schema) -> Iterator[str]:
    yield "# The schema of the catalog"
    yield ""
    yield "Written by `ducket db schema --markdown`. [The catalog in SQL](catalog.md) says what it is for."
    for kind, (heading, about) in _HEADINGS.items():
        yield from ("", f"## {heading}", "", about)
        for table in schema.tables:
            if table.kind == kind:
                yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield from ("", f"### `{table.name}`")
    if table.description:
        yield from ("", table.description)
    if table.columns:
        yield from ("", "| column | type |", "| --- | --- |")
        yield from (f"| `{name}` | `{kind}` |" for name, kind in table.columns)
