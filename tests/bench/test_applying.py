from __future__ import annotations

import pytest

from bench import applying


def test_each_kind_of_mutation_has_its_cost_by_size(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["applying", "--sizes", "0", "300", "--mutations", "200"])
    applying.main()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[3:]]
    assert [row[0] for row in rows] == ["0", "300"]
    assert all(float(cost) > 0 for row in rows for cost in row[1:])
