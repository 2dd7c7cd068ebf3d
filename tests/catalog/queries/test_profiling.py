from __future__ import annotations

from pathlib import Path

import pytest

from catalog.database.connection import open_database
from catalog.database.limits import Limits
from catalog.database.local import Local
from catalog.errors import QueryFailed, QueryRefused
from catalog.queries import Reached, profile
from tests.catalog.database.history import History, MemorySource


def test_each_operator_with_its_rows(catalog: Reached) -> None:
    found = profile(catalog, "SELECT bucket, count(*) FROM objects GROUP BY bucket ORDER BY bucket")
    assert found.seconds > 0 and found.planning > 0
    assert [(operator.name, operator.depth) for operator in found.operators][-1] == ("SECURE_VIEW", 3)
    assert (found.operators[0].name, found.operators[0].rows) == ("ORDER_BY", 2)
    assert (found.operators[-1].about, found.operators[-1].rows, found.operators[-1].filtered) == ("objects", 5, False)


def test_a_condition_that_reached_the_view_is_shown(catalog: Reached) -> None:
    view = profile(catalog, "SELECT key FROM journal WHERE seq > 10 ORDER BY size").operators[-1]
    assert view.filtered and view.about == "journal; (seq > 10)"


def test_a_view_that_was_read_whole_is_told_of() -> None:
    history = History()
    history.create_bucket("photos")
    with open_database(None) as connection:
        catalog = Local(Path(), connection, MemorySource(history), Limits())
        catalog.sync()
        connection.execute("INSERT INTO private.journal SELECT j.* FROM private.journal AS j, range(100_000)")
        whole = profile(catalog, "SELECT operation, count(*) FROM journal GROUP BY ALL")
        assert "no condition reached journal: it gave all of its 100,001 rows" in whole.hints
        assert not any("condition" in hint for hint in profile(catalog, "FROM journal WHERE seq > 5").hints)


def test_what_takes_most_of_the_time_is_said(catalog: Reached) -> None:
    found = profile(catalog, "SELECT sum(sin(a.range) * cos(b.range)) FROM range(3000) AS a, range(1000) AS b")
    spent = sum(operator.seconds for operator in found.operators)
    most = max(found.operators, key=lambda operator: operator.seconds)
    told = [hint for hint in found.hints if hint.startswith(most.name)]
    assert bool(told) == (most.seconds > spent / 2)


def test_of_views_it_is_said_which_one(catalog: Reached) -> None:
    (hint,) = profile(catalog, "FROM journal WHERE seq > 5").hints
    assert hint.startswith("SECURE_VIEW journal takes ")


def test_only_a_query_is_profiled(catalog: Reached) -> None:
    for statement in ("DELETE FROM objects", "SELECT 1; SELECT 2", "FROM private.users"):
        with pytest.raises(QueryRefused):
            profile(catalog, statement)
    with pytest.raises(QueryFailed):
        profile(catalog, "SELECT nonsense")
