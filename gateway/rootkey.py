"""The root user's key: given in the settings, or else made at the first start and kept in the data folder."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from gateway.settings import Settings, SettingsError

FILE = "root.key"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def root_key(settings: Settings) -> tuple[str, str, bool]:
    """Access key, secret key, and whether they were made just now. Never a key that others could know."""
    if settings.root_access_key:
        return settings.root_access_key, settings.root_secret_key, False
    path = settings.data / FILE
    if path.exists():
        return *read_key(path), False
    access_key, secret_key = new_access_key(), new_secret_key()
    write_key(path, access_key, secret_key)
    return access_key, secret_key, True


def read_key(path: Path) -> tuple[str, str]:
    try:
        access_key, secret_key = path.read_text().split()
    except ValueError:
        raise SettingsError(f"{path}: not an access key and a secret key, a line each") from None
    return access_key, secret_key


def write_key(path: Path, access_key: str, secret_key: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as out:
        out.write(f"{access_key}\n{secret_key}\n")
        out.flush()
        os.fsync(file)


def new_access_key() -> str:
    """As long as an AWS key, and plainly none."""
    return "DUCK" + "".join(secrets.choice(ALPHABET) for _ in range(16))


def new_secret_key() -> str:
    """Forty characters that need no quotes in a shell."""
    return base64.b64encode(secrets.token_bytes(30), altchars=b"-_").decode()
