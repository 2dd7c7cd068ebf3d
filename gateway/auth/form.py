"""Who lets a browser's form be sent: whoever signed its policy, by Signature Version 4 or 2.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING

from catalog.records import User
from gateway.auth import version2
from gateway.auth.claim import parse_credential
from gateway.auth.dates import parse_stamp
from gateway.auth.payload import Payload
from gateway.auth.policy import Policy
from gateway.auth.proof import FindUser, Identity, known_user
from gateway.auth.signing import signature_mismatch, signing_key
from gateway.s3.errors import S3Error, invalid_argument

if TYPE_CHECKING:
    from gateway.form import Form

_VERSION_4 = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature")
_VERSION_2 = ("AWSAccessKeyId", "Signature")
_POLICY = "Policy"


def authenticate_form(form: Form, bucket: str, find_user: FindUser, region: str, now: float) -> Identity:
    """`now` is seconds since the epoch. The form's file is held to the policy from now on.

    A form without any of what proves one is the anonymous one's.
    """
    fields = form.fields
    if not fields.get("key"):
        raise _lacking("key")
    required = _required(fields)
    if not required:
        return Identity(None, "", Payload())
    for name in (*required, _POLICY):
        if not fields.get(name.lower()):
            raise _lacking(name)
    prove = _prove_version_4 if required is _VERSION_4 else _prove_version_2
    user = prove(fields, find_user, region)
    form.file.limit(*Policy.read(fields["policy"]).check(fields, form.sent, bucket, now))
    return Identity(user, user.access_key, Payload())


def _required(fields: Mapping[str, str]) -> tuple[str, ...]:
    for names in (_VERSION_4, _VERSION_2):
        if any(name.lower() in fields for name in names):
            return names
    return ()


def _prove_version_4(fields: Mapping[str, str], find_user: FindUser, region: str) -> User:
    """Raises SignatureDoesNotMatch unless the signature is over this very policy, as it was sent."""
    if fields["x-amz-algorithm"] != "AWS4-HMAC-SHA256":
        raise _argument('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"', "X-Amz-Algorithm", fields)

    def malformed(message: str, extra: dict[str, str] | None) -> S3Error:
        error = _argument(message, "X-Amz-Credential", fields)
        error.fields |= extra or {}
        return error

    credential = parse_credential(fields["x-amz-credential"], region, malformed)
    if parse_stamp(fields["x-amz-date"]) is None:
        raise _argument("X-Amz-Date must be formated via ISO8601 Long format", "X-Amz-Date", fields)
    user = known_user(credential.access_key, fields.get("x-amz-security-token"), find_user)
    key = signing_key(user.secret_key, credential.day, region)
    if not key.matches(fields["policy"], fields["x-amz-signature"]):
        raise signature_mismatch(user.access_key, fields["policy"], fields["x-amz-signature"])
    return user


def _prove_version_2(fields: Mapping[str, str], find_user: FindUser, region: str) -> User:
    """As `_prove_version_4`. The region is not in it."""
    user = known_user(fields["awsaccesskeyid"], fields.get("x-amz-security-token"), find_user)
    ours = version2.sign(user.secret_key, version2.latin_1(fields["policy"]))
    if not hmac.compare_digest(ours, fields["signature"].encode()):
        raise signature_mismatch(user.access_key, fields["policy"], fields["signature"])
    return user


def _lacking(name: str) -> S3Error:
    message = f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the"
    return invalid_argument(f"{message} fields.", name, "")


def _argument(message: str, name: str, fields: Mapping[str, str]) -> S3Error:
    return invalid_argument(message, name, fields[name.lower()])
