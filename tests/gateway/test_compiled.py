from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gateway.compiled import refuse_stale


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    lines = []
    for name in ("first.py", "second.py"):
        (tmp_path / name).write_text(f"# {name}\n")
        lines.append(f"{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}  {name}\n")
    (tmp_path / "mark").write_text("".join(lines))
    return tmp_path / "mark"


def test_what_was_compiled_is_believed(tmp_path: Path, mark: Path) -> None:
    assert refuse_stale(tmp_path, mark) == 2


def test_where_nothing_was_compiled_there_is_nothing_to_believe(tmp_path: Path) -> None:
    assert refuse_stale(tmp_path, tmp_path / "mark") == 0


def test_an_edited_source_is_not_run_in_vain(tmp_path: Path, mark: Path) -> None:
    (tmp_path / "second.py").write_text("# edited\n")
    with pytest.raises(ImportError, match=r"second\.py has changed since Ducket was compiled: .*make interpreted"):
        refuse_stale(tmp_path, mark)


def test_a_source_that_went_is_a_change(tmp_path: Path, mark: Path) -> None:
    (tmp_path / "first.py").unlink()
    with pytest.raises(ImportError, match=r"first\.py has changed"):
        refuse_stale(tmp_path, mark)
