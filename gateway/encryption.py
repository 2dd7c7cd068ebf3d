"""The server's encryption keys, as the settings give them."""

from __future__ import annotations

from pathlib import Path

from gateway.blobs import Keyring
from gateway.blobs.keys import BadKey
from gateway.settings import Settings, SettingsError


def keyring(settings: Settings) -> Keyring:
    """Raises SettingsError."""
    given = [each.strip() for each in settings.encryption_key.split(",") if each.strip()]
    file = Path(settings.encryption_key_file) if settings.encryption_key_file else None
    try:
        if file is not None and not file.is_file():
            raise SettingsError(f"encryption_key_file: there is no {file}")
        if file is not None and not file.read_text().split():
            raise SettingsError(f"encryption_key_file: {file} has no key")
        return Keyring(settings.data, given, file)
    except BadKey as problem:
        raise SettingsError(str(problem)) from None
