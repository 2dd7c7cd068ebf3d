from __future__ import annotations

from pathlib import Path

from catalog.database.registry import MACROS, VIEWS
from catalog.queries import Reached, as_markdown, get_schema

DOCS = Path(__file__).parents[3] / "docs" / "schema.md"


def test_the_documentation_is_what_the_command_writes(catalog: Reached) -> None:
    assert DOCS.read_text() == as_markdown(get_schema(catalog))


def test_views_macros_and_tables_with_what_they_hold(catalog: Reached) -> None:
    tables = get_schema(catalog).tables
    assert [table.name for table in tables if table.kind == "view"] == list(VIEWS)
    assert [table.name.partition("(")[0] for table in tables if table.kind == "macro"] == list(MACROS)
    assert "delta(bucket_name, from_time, to_time)" in [table.name for table in tables]
    (objects,) = [table for table in tables if table.kind == "table" and table.name == "objects"]
    assert (objects.rows, objects.indexes) == (8, 0)
    assert ("seq", "BIGINT") in objects.columns
