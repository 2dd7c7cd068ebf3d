from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bench.catalog import counted, filled, questions, tell
from catalog.queries import Page

SIZE = 1_000
NOTHING = {
    "files --max-age",
    "files --min-size",
    "validations",
    "validation summary",
    "find by ETag",
    "find by checksum",
}


def test_every_question_is_answered_with_something(tmp_path: Path) -> None:
    with filled(tmp_path, SIZE) as (catalog, source):
        for asked in questions(SIZE, source.end().seq):
            found = asked.ask(catalog)
            items = found.items if isinstance(found, Page) else found
            assert items or asked.name in NOTHING, asked.name


def test_a_question_waits_for_what_is_pending_and_its_cost_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with filled(tmp_path, SIZE) as (catalog, source):
        asked = next(
            asked for asked in questions(SIZE, source.end().seq) if asked.name == "objects, counted and summed"
        )
        tell(dataclasses.replace(asked, wanted={SIZE: 0.0}), SIZE, catalog, 1)
        source.more(50)
        counted(catalog)
        assert catalog.sync().seq == source.end().seq
    assert "MISSED" in capsys.readouterr().out
