"""Proving a claim, alike for header and query: the user, the headers that must be signed, the signature."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

from catalog.records import User
from gateway.auth.canonical import canonical_request
from gateway.auth.claim import MOST_REMEMBERED, Claim, SignedHeaders
from gateway.auth.errors import TooLong
from gateway.auth.payload import Payload, signed_payload
from gateway.auth.signing import signature_mismatch, signing_key, string_to_sign
from gateway.request import Request
from gateway.s3.errors import S3Error

MOST_HEADERS = 64  # of a request that is remembered

FindUser = Callable[[str], User | None]


class Identity(NamedTuple):
    """`user` is None for the anonymous; `payload` says how the body proves itself."""

    user: User | None
    access_key: str
    payload: Payload


def known_user(access_key: str, token: str | None, find_user: FindUser) -> User:
    """Keys here are long-term ones, so a session token belongs to none of them."""
    user = find_user(access_key)
    if user is None:
        raise S3Error("InvalidAccessKeyId", fields={"AWSAccessKeyId": access_key})
    if token:
        raise S3Error("InvalidToken", fields={"Token-0": token})
    return user


def require_signed(headers: dict[str, str], signed: SignedHeaders) -> None:
    """Host and every x-amz-* header there is, but for the payload hash, which the signature covers anyway.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """
    try:
        unsigned = _remembered(tuple(headers), signed)
    except TooLong:
        unsigned = _unsigned(tuple(headers), signed)
    if unsigned:
        raise S3Error(
            "AccessDenied",
            "There were headers present in the request which were not signed",
            fields={"HeadersNotSigned": ", ".join(unsigned)},
        )


def _unsigned(names: tuple[str, ...], signed: SignedHeaders) -> tuple[str, ...]:
    must = {name for name in (*names, "host") if name == "host" or name.startswith("x-amz-")}
    return tuple(sorted(must - signed.known - {"x-amz-content-sha256"}))


@functools.lru_cache(maxsize=256)
def _remembered(names: tuple[str, ...], signed: SignedHeaders) -> tuple[str, ...]:
    """A client sends the same headers all day long, and signs the same of them. Raises TooLong."""
    if len(names) > MOST_HEADERS or len(signed.text) > MOST_REMEMBERED:
        raise TooLong
    return _unsigned(names, signed)


def prove(request: Request, claim: Claim, user: User) -> Identity:
    """Raises SignatureDoesNotMatch unless the claim's signature is over this very request."""
    credential = claim.credential
    key = signing_key(user.secret_key, credential.day, credential.region)
    canonical, to_sign = _texts(request, claim, request.host)
    if not key.matches(to_sign, claim.signature) and not any(
        key.matches(_texts(request, claim, host)[1], claim.signature) for host in request.other_hosts()
    ):
        raise signature_mismatch(credential.access_key, to_sign, claim.signature, canonical)
    return Identity(user, credential.access_key, signed_payload(request, claim, key))


def _texts(request: Request, claim: Claim, host: str) -> tuple[str, str]:
    canonical = canonical_request(request, host, claim.signed, claim.query, claim.payload_hash)
    return canonical, string_to_sign(claim.stamp, claim.credential.scope, canonical)
