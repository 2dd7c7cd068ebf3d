from __future__ import annotations

import pytest

from gateway.cli import main


def test_the_answer_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["user", "create", "alice"])
    capsys.readouterr()
    assert main(["sql", "SELECT 1 AS one, 'text' AS two"]) == 0
    assert capsys.readouterr().out.splitlines() == ["one  two", "---  ----", "  1  text", "(1 row)"]


def test_a_query_that_fails_is_told_in_the_database_s_words(capsys: pytest.CaptureFixture[str]) -> None:
    main(["user", "create", "alice"])
    assert main(["sql", "SELECT nonsense"]) == 1
    assert "nonsense" in capsys.readouterr().err


def test_there_has_to_be_a_catalog(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", "SELECT 1"]) == 1
    assert "there is no catalog" in capsys.readouterr().err
