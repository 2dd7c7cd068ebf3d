from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.settings import Settings, SettingsError
from gateway.tls import check_certificate, scheme


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def pair(authority: trustme.CA, tmp_path: Path) -> Settings:
    made = authority.issue_cert("127.0.0.1")
    made.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    made.private_key_pem.write_to_path(tmp_path / "key.pem")
    return Settings(tls_cert=str(tmp_path / "cert.pem"), tls_key=str(tmp_path / "key.pem"))


def test_a_pair_is_used_and_none_is_none(pair: Settings) -> None:
    check_certificate(pair)
    check_certificate(Settings())
    assert (scheme(pair), scheme(Settings())) == ("https", "http")


def test_one_without_the_other_is_refused() -> None:
    for given in ({"tls_cert": "a"}, {"tls_key": "a"}):
        with pytest.raises(SettingsError, match="give both or neither"):
            Settings(**given)  # type: ignore[arg-type]


def test_a_file_that_is_not_there(pair: Settings) -> None:
    Path(pair.tls_key).unlink()
    with pytest.raises(SettingsError, match="No such file"):
        check_certificate(pair)


def test_a_file_that_is_no_pem(pair: Settings) -> None:
    Path(pair.tls_cert).write_bytes(b"\0 nothing")
    with pytest.raises(SettingsError, match="in PEM"):
        check_certificate(pair)


def test_the_key_of_another_certificate(pair: Settings, authority: trustme.CA) -> None:
    authority.issue_cert("127.0.0.1").private_key_pem.write_to_path(pair.tls_key)
    with pytest.raises(SettingsError, match="is not that of the certificate"):
        check_certificate(pair)


def test_a_key_under_a_passphrase(pair: Settings) -> None:
    path = Path(pair.tls_key)
    key = load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    with pytest.raises(SettingsError, match="passphrase"):
        check_certificate(pair)
