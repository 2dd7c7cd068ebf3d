from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from gateway.encryption import keyring
from gateway.settings import Settings, SettingsError

FIRST, SECOND, THIRD = (b64encode(bytes([value]) * 32).decode() for value in (1, 2, 3))


def test_keys_of_the_setting_come_before_those_of_the_file_and_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "encryption.key").write_text(f"{THIRD}\n")
    (tmp_path / "file").write_text(f"{SECOND}\n")
    data = tmp_path
    (third,) = keyring(Settings(data=data))
    second, again = keyring(Settings(data=data, encryption_key_file=str(tmp_path / "file")))
    assert again == third
    found = list(keyring(Settings(data=data, encryption_key=f"{FIRST}, ", encryption_key_file=str(tmp_path / "file"))))
    assert len(found) == 3 and found[1:] == [second, third]


def test_what_gives_no_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="encryption_key: key 1 is not 32 bytes"):
        keyring(Settings(data=tmp_path, encryption_key="secret"))
    with pytest.raises(SettingsError, match="there is no"):
        keyring(Settings(data=tmp_path, encryption_key_file=str(tmp_path / "none")))
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(SettingsError, match="has no key"):
        keyring(Settings(data=tmp_path, encryption_key_file=str(tmp_path / "empty")))
