"""The server's certificate: looked at before any worker is started with it."""

from __future__ import annotations

import ssl

from gateway.settings import Settings, SettingsError


def scheme(settings: Settings) -> str:
    return "https" if settings.tls_cert else "http"


def check_certificate(settings: Settings) -> None:
    """Raises SettingsError for files that no server could show: missing, no PEM, no pair, under a passphrase."""
    if not settings.tls_cert:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, refuse_passphrase)
    except ssl.SSLError as error:
        why = WHY.get(error.reason or "", "not a certificate and its private key, in PEM")
        raise SettingsError(f"tls_cert {settings.tls_cert}, tls_key {settings.tls_key}: {why}") from error
    except OSError as error:
        raise SettingsError(f"tls_cert {settings.tls_cert}, tls_key {settings.tls_key}: {error.strerror}") from error


WHY = {"KEY_VALUES_MISMATCH": "the private key is not that of the certificate"}


def refuse_passphrase() -> str:
    """Nobody is there to type one when a worker starts."""
    raise SettingsError("tls_key: a private key under a passphrase cannot be used")
