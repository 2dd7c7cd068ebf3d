from __future__ import annotations

from pathlib import Path

from gateway.notifications.progress import FILE, Progress, load, save


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    assert load(tmp_path) == {}
    targets = {"a": Progress(5, 2, 1.0), "b": Progress(7, failures=3, failing_since=2.0, error="it answered 500")}
    save(tmp_path, targets)
    assert load(tmp_path) == targets
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_what_the_power_took_is_there_as_it_was_synced_last(tmp_path: Path) -> None:
    save(tmp_path, {"a": Progress(5)}, synced=True)
    save(tmp_path, {"a": Progress(7)})
    assert load(tmp_path) == {"a": Progress(7)}
    (tmp_path / FILE).write_bytes(b"")
    assert load(tmp_path) == {"a": Progress(5)}
    (tmp_path / FILE).unlink()
    assert load(tmp_path) == {"a": Progress(5)}


def test_what_cannot_be_read_is_nothing(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"a": {')
    assert load(tmp_path) == {}
