"""How a request wants bytes to be encrypted, and the keys by which what is encrypted is read.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Any

import msgspec

from catalog.records import Bucket, Encryption, Upload, Version
from gateway.blobs import Keyring, keys
from gateway.blobs.errors import WrongKey
from gateway.blobs.sealing import seal
from gateway.operations import Context
from gateway.s3.errors import S3Error, invalid_argument

SETTING = "encryption"  # a bucket's, as `Default`
SSE_S3 = "AES256"
SSE_C = "SSE-C"
HEADER = "x-amz-server-side-encryption"
CUSTOMERS_MUST = "Requests specifying Server Side Encryption with Customer provided keys must"

# A body's own key from what is kept of it. Raises NoKey.
Unwrap = Callable[[Encryption], bytes]


class Default(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a bucket was told: `algorithm` is "" where it was told of none, `blocked` kinds are not written."""

    algorithm: str = ""
    bucket_key: bool | None = None
    blocked: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """A client's own key, and its MD5 as headers have it."""

    key: bytes = field(repr=False)
    md5: str

    def unwrap(self, encryption: Encryption) -> bytes:
        """Raises WrongKey."""
        return keys.unwrap(self.key, encryption.key)

    def etag(self, md5: bytes) -> str:
        """Of bytes that this key encrypts: not their MD5, but the same where they are sent again.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
        """
        return hmac.digest(self.key, md5, "sha256")[:16].hex()


@dataclass(frozen=True, slots=True)
class Sealing:
    """By the client's key, or else by the server's."""

    customer: Customer | None = None

    @property
    def kind(self) -> str:
        return SSE_S3 if self.customer is None else SSE_C

    def new_key(self, keyring: Keyring) -> tuple[bytes, Encryption]:
        """A key for one body. Raises NoKey."""
        if self.customer is not None:
            key = os.urandom(keys.SIZE)
            return key, Encryption(SSE_C, keys.wrap(self.customer.key, key))
        key, wrapped, by = keyring.new()
        return key, Encryption(SSE_S3, wrapped, by)

    def seal(self, keyring: Keyring, content: bytes) -> tuple[bytes, Encryption]:
        """A small body. Raises NoKey."""
        key, encryption = self.new_key(keyring)
        hidden, tag = seal(key, content)
        return hidden, msgspec.structs.replace(encryption, tag=tag)


def asked(
    cx: Context,
    encryption: str | None,
    algorithm: str | None,
    key: str | None,
    md5: str | None,
    kms_key: str | None = None,
) -> Sealing | None:
    """What the headers of a write say, or else the bucket. None: nobody asks for encryption."""
    if encryption is None and algorithm is None and key is None and md5 is None and kms_key is None:
        return default_sealing(cx.here)
    if encryption is not None and not (algorithm is key is md5 is None):
        message = (
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        )
        raise invalid_argument(message, HEADER, encryption)
    customer = customer_of(cx, algorithm, key, md5)
    if kms_key is not None and encryption in (None, SSE_S3):
        message = f"Server Side Encryption with AWS KMS managed key requires HTTP header {HEADER} : aws:kms"
        raise invalid_argument(message, HEADER, encryption or "null")
    if encryption is not None and encryption != SSE_S3:
        raise no_kms(encryption)
    if customer is not None and SSE_C in (default_of(cx.here).blocked or ()):
        raise S3Error("AccessDenied", "The bucket blocks server-side encryption with customer-provided keys (SSE-C).")
    return Sealing(customer)


def default_sealing(bucket: Bucket) -> Sealing | None:
    settings = bucket.settings
    return Sealing() if settings and SETTING in settings and default_of(bucket).algorithm else None


def default_of(bucket: Bucket) -> Default:
    return _decoded((bucket.settings or {}).get(SETTING) or "{}")


def no_kms(algorithm: str) -> S3Error:
    return S3Error(
        "NotImplemented",
        f"Server-side encryption with KMS keys is not implemented: no KMS is configured. Supported are {SSE_S3} and"
        " customer-provided keys.",
        fields={"Header": HEADER, "Value": algorithm},
    )


def customer_of(cx: Context, algorithm: str | None, key: str | None, md5: str | None) -> Customer | None:
    """The client's key of the three headers, or of those of a copy's source: all of them are needed, or none."""
    if algorithm is None and key is None and md5 is None:
        return None
    if not is_private(cx):
        raise S3Error("InvalidRequest", f"{CUSTOMERS_MUST} be made over a secure connection.")
    if algorithm is None:
        raise _refused_key(f"{CUSTOMERS_MUST} provide a valid encryption algorithm.")
    if algorithm != SSE_S3:
        fields = {"ArgumentName": HEADER, "ArgumentValue": algorithm}
        raise S3Error("InvalidEncryptionAlgorithmError", fields=fields)
    if not key:
        raise _refused_key(f"{CUSTOMERS_MUST} provide an appropriate secret key.")
    if not md5:
        raise _refused_key(f"{CUSTOMERS_MUST} provide the client calculated MD5 of the secret key.")
    found = _base64(key)
    if len(found) != keys.SIZE:
        raise _refused_key("The secret key was invalid for the specified algorithm.")
    if _base64(md5) != hashlib.md5(found, usedforsecurity=False).digest():
        raise _refused_key("The calculated MD5 hash of the key did not match the hash that was provided.")
    return Customer(found, b64encode(_base64(md5)).decode())


def _refused_key(message: str) -> S3Error:
    """Names the header that S3 was seen to name, whichever of them is meant, and repeats no key."""
    return S3Error("InvalidArgument", message, fields={"ArgumentName": HEADER})


def is_private(cx: Context) -> bool:
    """Whether a key may come this way: S3 takes none that others could have read on theirs."""
    allowed = cx.settings.sse_c_over_http
    if cx.request.scheme == "https" or allowed == "always":
        return True
    return allowed == "loopback" and _is_loopback(cx.request.client_ip)


def unlocked(cx: Context, encryption: Encryption | None, customer: Customer | None) -> Unwrap | None:
    """What gives the keys of a version, and of its parts, to who may read it. None: it is not encrypted."""
    if encryption is None or encryption.kind != SSE_C:
        if customer is not None:
            raise S3Error("InvalidRequest", "The encryption parameters are not applicable to this object.")
        return None if encryption is None else server_unwrap(cx.blobs.keys)
    if customer is None:
        raise S3Error(
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to"
            " retrieve the object.",
        )
    try:
        customer.unwrap(encryption)
    except WrongKey:
        raise S3Error("AccessDenied", f"{CUSTOMERS_MUST} provide the correct secret key.") from None
    return customer.unwrap


def server_unwrap(keyring: Keyring) -> Unwrap:
    return lambda encryption: keyring.unwrap(encryption.key, encryption.by)


def of_part(upload: Upload, customer: Customer | None) -> Sealing | None:
    """How a part is to be encrypted: as its upload is, by the same key."""
    encryption = upload.encryption
    by_customer = encryption is not None and encryption.kind == SSE_C
    if by_customer != (customer is not None):
        raise S3Error(
            "InvalidRequest",
            "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate"
            " encryption parameters.",
        )
    if encryption is None or customer is None:
        return None if encryption is None else Sealing()
    try:
        customer.unwrap(encryption)
    except WrongKey:
        message = "The provided encryption parameters did not match the ones used originally."
        raise S3Error("InvalidRequest", message) from None
    return Sealing(customer)


def of_copy(version: Version, found: Sealing | None) -> Sealing | None:
    """What was encrypted is not laid open by a copy: at AWS's each bucket has a default, here it may have none."""
    return Sealing() if found is None and version.encryption is not None else found


def is_same(encryption: Encryption | None, sealing: Sealing | None) -> bool:
    """Whether bytes may be shared as they lie: plain ones, and those that the server's keys open."""
    if encryption is None or sealing is None:
        return encryption is None and sealing is None
    return encryption.kind == SSE_S3 and sealing.customer is None


def shown_made(encryption: Encryption | None, sealing: Sealing | None) -> dict[str, Any]:
    """What an answer says of bytes that were written just now."""
    return shown(encryption, sealing.customer if sealing is not None else None)


def shown(encryption: Encryption | None, customer: Customer | None = None) -> dict[str, Any]:
    """What an answer says of it."""
    if encryption is None:
        return {}
    if encryption.kind == SSE_C:
        return {"sse_customer_algorithm": SSE_S3, "sse_customer_key_md5": customer.md5 if customer else None}
    return {"server_side_encryption": encryption.kind}


@cache
def _decoded(setting: str) -> Default:
    return msgspec.json.decode(setting, type=Default)


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.removeprefix("::ffff:")).is_loopback
    except ValueError:
        return False
