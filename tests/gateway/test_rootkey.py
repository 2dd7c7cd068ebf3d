from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.rootkey import root_key
from gateway.settings import Settings, SettingsError


def test_a_key_that_is_given_is_taken_and_kept_nowhere(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, root_access_key="key", root_secret_key="secret")
    assert root_key(settings) == ("key", "secret", False)
    assert not list(tmp_path.iterdir())


def test_a_key_is_made_once_and_readable_to_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "new")
    access_key, secret_key, made = root_key(settings)
    assert made
    assert (len(access_key), len(secret_key)) == (20, 40)
    assert stat.S_IMODE((settings.data / "root.key").stat().st_mode) == 0o600
    assert root_key(settings) == (access_key, secret_key, False)


def test_no_two_are_alike(tmp_path: Path) -> None:
    assert root_key(Settings(data=tmp_path / "a")) != root_key(Settings(data=tmp_path / "b"))


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root.key").write_text("half\n")
    with pytest.raises(SettingsError, match=r"root\.key"):
        root_key(Settings(data=tmp_path))
