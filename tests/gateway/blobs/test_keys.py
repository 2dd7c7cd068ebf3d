from __future__ import annotations

import os
import stat
from base64 import b64encode
from pathlib import Path

import pytest

from gateway.blobs import keys
from gateway.blobs.errors import NoKey, WrongKey
from gateway.blobs.keys import FILE, USED, BadKey, Keyring

FIRST, SECOND = (b64encode(bytes([value]) * 32).decode() for value in (1, 2))


def test_a_key_is_made_when_it_is_needed_and_is_its_owners_alone(tmp_path: Path) -> None:
    ring = Keyring(tmp_path)
    assert list(tmp_path.iterdir()) == list(ring) == []
    key, wrapped, by = ring.new()
    assert len(key) == 32 and key not in wrapped
    assert ring.unwrap(wrapped, by) == Keyring(tmp_path).unwrap(wrapped, by) == key
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {FILE, USED}
    assert len({ring.new()[0] for _ in range(100)}) == 100


def test_all_who_share_a_folder_use_the_one_that_was_made_first(tmp_path: Path) -> None:
    rings = [Keyring(tmp_path) for _ in range(3)]
    made = [ring.new() for ring in rings]
    assert len({by for _, _, by in made}) == 1
    for key, wrapped, by in made:
        assert all(ring.unwrap(wrapped, by) == key for ring in rings)


def test_what_is_new_is_wrapped_by_the_first_and_all_are_read(tmp_path: Path) -> None:
    old = Keyring(tmp_path, [FIRST])
    key, wrapped, by = old.new()
    both = Keyring(tmp_path, [SECOND, FIRST])
    assert both.unwrap(wrapped, by) == key
    assert both.new()[2] != by
    assert not (tmp_path / FILE).exists()
    named = tmp_path / "elsewhere"
    named.write_text(f"{SECOND}\n{FIRST}\n")
    assert list(Keyring(tmp_path, file=named)) == list(both)


def test_what_is_wrapped_under_a_name_is_unwrapped_under_no_other(tmp_path: Path) -> None:
    ring = Keyring(tmp_path)
    key, wrapped, by = ring.new("orders")
    assert ring.unwrap(wrapped, by, "orders") == key
    for name in ("", "order", "invoices"):
        with pytest.raises(WrongKey):
            ring.unwrap(wrapped, by, name)
    _, plain, by = ring.new()
    with pytest.raises(WrongKey):
        ring.unwrap(plain, by, "orders")


def test_none_is_made_in_the_place_of_one_that_is_lost(tmp_path: Path) -> None:
    key, wrapped, by = Keyring(tmp_path).new()
    kept = (tmp_path / FILE).read_text()
    (tmp_path / FILE).unlink()
    ring = Keyring(tmp_path)
    assert ring.missing() == [by]
    with pytest.raises(NoKey, match=by):
        ring.new()
    with pytest.raises(NoKey):
        ring.unwrap(wrapped, by)
    (tmp_path / FILE).write_text(kept)
    assert ring.unwrap(wrapped, by) == key  # it is looked for again
    assert ring.missing() == []


def test_what_was_altered_is_not_unwrapped(tmp_path: Path) -> None:
    ring = Keyring(tmp_path)
    _, wrapped, by = ring.new()
    for at in range(len(wrapped)):
        spoilt = bytearray(wrapped)
        spoilt[at] ^= 1
        with pytest.raises(WrongKey):
            ring.unwrap(bytes(spoilt), by)


def test_by_a_clients_key(tmp_path: Path) -> None:
    client, other, key = (os.urandom(32) for _ in range(3))
    wrapped = keys.wrap(client, key)
    assert keys.unwrap(client, wrapped) == key
    with pytest.raises(WrongKey):
        keys.unwrap(other, wrapped)


@pytest.mark.parametrize("given", ["", "secret", b64encode(bytes(31)).decode(), b64encode(bytes(33)).decode()])
def test_what_is_no_key_is_not_repeated(tmp_path: Path, given: str) -> None:
    with pytest.raises(BadKey, match="key 2 is not 32 bytes in base64") as caught:
        Keyring(tmp_path, [FIRST, given])
    assert not given or given not in str(caught.value)
