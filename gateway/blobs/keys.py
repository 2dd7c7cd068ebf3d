"""The keys that the keys of bodies are wrapped by: the server's own, kept in a file or given to it, or a client's.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
"""

from __future__ import annotations

import binascii
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from gateway.blobs.errors import NoKey, WrongKey
from gateway.blobs.pushing import sync_names

FILE = "encryption.key"
USED = "encryption.used"  # the ids of all keys that anything was ever wrapped by, a line each
SIZE = 32  # bytes of a key


class BadKey(Exception):
    """What was given as a key is none; the text says which, and not what it was."""


class Keyring:
    """The server's keys: what is new is wrapped by the first, what was before by whichever it was.

    Those `given` come first, then those in a `file` that is named, then those in the data folder. Where there are none
    at all, one is made in the folder when it is needed. Keys are 32 bytes in base64, a line each in a file.
    """

    def __init__(self, data: Path, given: Iterable[str] = (), file: Path | None = None) -> None:
        """Raises BadKey."""
        self._data = data
        self._file = data / FILE
        self._named = file
        self._given = list(_read(given, "encryption_key"))
        self._keys: dict[str, AESSIV] = {}
        self._current = ""  # once it is noted as used
        self._load()

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def new(self, name: str = "") -> tuple[bytes, bytes, str]:
        """A key for a body, the same wrapped, and the id of the key that did it. Raises NoKey, OSError.

        What is wrapped under a `name` is unwrapped under the same alone.
        """
        by = self._current or self._begin()
        key = os.urandom(SIZE)
        return key, self._keys[by].encrypt(key, _bound(name)), by

    def unwrap(self, wrapped: bytes, by: str, name: str = "") -> bytes:
        """Raises NoKey; WrongKey: it was not wrapped by this key under the name, or was altered."""
        found = self._keys.get(by)
        if found is None:
            self._load()  # another process may have made it
            found = self._keys.get(by)
        if found is None:
            raise NoKey(by)
        try:
            return found.decrypt(wrapped, _bound(name))
        except InvalidTag:
            raise WrongKey from None

    def missing(self) -> list[str]:
        """The ids of keys that something was wrapped by and that are not here."""
        return [by for by in _used(self._data) if by not in self._keys]

    def _load(self) -> None:
        keys = list(self._given)
        for file in (self._named, self._file):
            if file is not None:
                with suppress(FileNotFoundError):
                    keys += _read(file.read_text().split(), str(file))
        self._keys = {_id(key): _wrapping(key) for key in keys}

    def _begin(self) -> str:
        """The id of the first key, which from now on is noted."""
        if not self._keys:
            self._load()
        if not self._keys:
            self._make()
        by = next(iter(self._keys))
        if by not in _used(self._data):
            _append(self._data / USED, by)
        self._current = by
        return by

    def _make(self) -> None:
        """Not where there was one: it is to be found again, or what it wrapped is lost."""
        if lost := _used(self._data):
            raise NoKey(lost[0])
        draft = self._file.with_suffix(f".{token_hex(4)}")
        _append(draft, b64encode(os.urandom(SIZE)).decode())
        try:
            with suppress(FileExistsError):  # another process was first
                os.link(draft, self._file)
        finally:
            draft.unlink()
        sync_names(self._data)
        self._load()


def wrap(by: bytes, key: bytes) -> bytes:
    """By a client's key."""
    return _wrapping(by).encrypt(key, None)


def unwrap(by: bytes, wrapped: bytes) -> bytes:
    """Raises WrongKey."""
    try:
        return _wrapping(by).decrypt(wrapped, None)
    except InvalidTag:
        raise WrongKey from None


def _wrapping(key: bytes) -> AESSIV:
    """RFC 5297, made to wrap keys: it needs no nonce. It takes twice as long a key."""
    return AESSIV(hmac.digest(key, b"ducket: to wrap the keys of bodies", "sha512"))


def _bound(name: str) -> list[bytes] | None:
    return [name.encode()] if name else None


def _id(key: bytes) -> str:
    return sha256(b"ducket: the id of " + key).hexdigest()[:16]


def _read(lines: Iterable[str], source: str) -> Iterator[bytes]:
    for number, line in enumerate(lines, 1):
        try:
            key = b64decode(line, validate=True)
        except (ValueError, binascii.Error):
            key = b""
        if len(key) != SIZE:
            raise BadKey(f"{source}: key {number} is not {SIZE} bytes in base64")
        yield key


def _used(data: Path) -> list[str]:
    try:
        return (data / USED).read_text().split()
    except FileNotFoundError:
        return []


def _append(path: Path, line: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, f"{line}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
    sync_names(path.parent)
