from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from catalog.database.connection import open_database


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database(None) as connection:
        yield connection
