"""How a request wants bytes to be encrypted, and the keys by which what is encrypted is read.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
import re
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
KMS = "aws:kms"
DEFAULT_KMS_KEY = "aws/s3"  # AWS's name for the key that is used where none is named
HEADER = "x-amz-server-side-encryption"
CUSTOMERS_MUST = "Requests specifying Server Side Encryption with Customer provided keys must"

DEFAULT_ALIAS = f"alias/{DEFAULT_KMS_KEY}"
_KMS_ARN = re.compile(r"^(?:arn:aws[a-z-]*:kms:(?:[^:/]*:[0-9]*:)?)?(?:key/|alias/)?")

# A body's own key from what is kept of it. Raises NoKey.
Unwrap = Callable[[Encryption], bytes]


class Default(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a bucket was told: `algorithm` is "" where it was told of none, `blocked` kinds are not written.

    `kms_key` goes with the algorithm aws:kms.
    """

    algorithm: str = ""
    bucket_key: bool | None = None
    blocked: tuple[str, ...] | None = None
    kms_key: str = ""


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
class KmsKey:
    """A name for the server's keys, as it was given."""

    id: str
    bucket_key: bool = False


@dataclass(frozen=True, slots=True)
class Sealing:
    """By the client's key, or else by the server's, under the name of a KMS's key or none."""

    customer: Customer | None = None
    kms: KmsKey | None = None

    @property
    def kind(self) -> str:
        if self.customer is not None:
            return SSE_C
        return SSE_S3 if self.kms is None else KMS

    def new_key(self, keyring: Keyring) -> tuple[bytes, Encryption]:
        """A key for one body. Raises NoKey."""
        if self.customer is not None:
            key = os.urandom(keys.SIZE)
            return key, Encryption(SSE_C, keys.wrap(self.customer.key, key))
        if self.kms is not None:
            key, wrapped, by = keyring.new(kms_name(self.kms.id))
            return key, Encryption(KMS, wrapped, by, b"", self.kms.id, self.kms.bucket_key)
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
    bucket_key: bool | None = None,
) -> Sealing | None:
    """What the headers of a write say, or else the bucket. None: nobody asks for encryption."""
    if encryption is None and algorithm is None and key is None and md5 is None and kms_key is None:
        sealing = default_sealing(cx.here, bucket_key)
        if sealing is not None and sealing.kms is not None:
            check_kms_key(cx, sealing.kms)
        return sealing
    if encryption is not None and not (algorithm is key is md5 is None):
        message = (
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        )
        raise invalid_argument(message, HEADER, encryption)
    customer = customer_of(cx, algorithm, key, md5)
    if kms_key is not None and encryption in (None, SSE_S3):
        message = f"Server Side Encryption with AWS KMS managed key requires HTTP header {HEADER} : aws:kms"
        raise invalid_argument(message, HEADER, encryption or "null")
    if encryption == KMS:
        kms = KmsKey(kms_key or DEFAULT_ALIAS, bucket_key is True)
        check_kms_key(cx, kms)
        return Sealing(kms=kms)
    if encryption is not None and encryption != SSE_S3:
        raise no_double_encryption(encryption)
    if customer is not None and SSE_C in (default_of(cx.here).blocked or ()):
        raise S3Error("AccessDenied", "The bucket blocks server-side encryption with customer-provided keys (SSE-C).")
    return Sealing(customer)


def default_sealing(bucket: Bucket, bucket_key: bool | None = None) -> Sealing | None:
    """`bucket_key` is what a request says of that."""
    settings = bucket.settings
    if not settings or SETTING not in settings:
        return None
    default = default_of(bucket)
    if default.algorithm == KMS:
        once = bucket_key if bucket_key is not None else default.bucket_key is True
        return Sealing(kms=KmsKey(default.kms_key or DEFAULT_ALIAS, once))
    return Sealing() if default.algorithm else None


def default_of(bucket: Bucket) -> Default:
    return _decoded((bucket.settings or {}).get(SETTING) or "{}")


def check_kms_key(cx: Context, kms: KmsKey) -> None:
    """The operator must have named it, too."""
    if kms_name(kms.id) not in (DEFAULT_KMS_KEY, *cx.settings.kms_keys):
        raise S3Error("KMS.NotFoundException", f"Invalid keyId '{kms.id}'")


@cache
def kms_name(key_id: str) -> str:
    """What is left of a key's ARN, or its alias's; of one in MinIO's form, too."""
    return _KMS_ARN.sub("", key_id)


def no_double_encryption(algorithm: str) -> S3Error:
    return S3Error(
        "NotImplemented",
        f"Dual-layer server-side encryption is not implemented. Supported are {SSE_S3}, {KMS} and customer-provided"
        " keys.",
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
    return lambda encryption: keyring.unwrap(encryption.key, encryption.by, kms_name(encryption.kms_key))


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
        return None if encryption is None else _by_server(encryption)
    try:
        customer.unwrap(encryption)
    except WrongKey:
        message = "The provided encryption parameters did not match the ones used originally."
        raise S3Error("InvalidRequest", message) from None
    return Sealing(customer)


def _by_server(encryption: Encryption) -> Sealing:
    kms = KmsKey(encryption.kms_key, encryption.bucket_key) if encryption.kind == KMS else None
    return Sealing(kms=kms)


def of_copy(version: Version, found: Sealing | None) -> Sealing | None:
    """What was encrypted is not laid open by a copy: at AWS's each bucket has a default, here it may have none."""
    return Sealing() if found is None and version.encryption is not None else found


def is_same(encryption: Encryption | None, sealing: Sealing | None) -> bool:
    """Whether bytes may be shared as they lie: plain ones, and those that the server's keys open in the same way."""
    if encryption is None or sealing is None:
        return encryption is None and sealing is None
    return encryption.kind != SSE_C and _by_server(encryption) == sealing


def shown_made(encryption: Encryption | None, sealing: Sealing | None) -> dict[str, Any]:
    """What an answer says of bytes that were written just now."""
    return shown(encryption, sealing.customer if sealing is not None else None)


def shown_completed(encryption: Encryption | None) -> dict[str, Any]:
    """What an answer that knows no client's key says of it."""
    return {} if encryption is not None and encryption.kind == SSE_C else shown(encryption)


def shown(encryption: Encryption | None, customer: Customer | None = None) -> dict[str, Any]:
    """What an answer says of it."""
    if encryption is None:
        return {}
    if encryption.kind == SSE_C:
        return {"sse_customer_algorithm": SSE_S3, "sse_customer_key_md5": customer.md5 if customer else None}
    output: dict[str, Any] = {"server_side_encryption": encryption.kind}
    if encryption.kind == KMS:
        output |= {"ssekms_key_id": encryption.kms_key, "bucket_key_enabled": encryption.bucket_key or None}
    return output


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
